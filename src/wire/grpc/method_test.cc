// The table of methods against the contract and against the page that tells users what is answered.
#include "wire/grpc/method.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "milvus.pb.h"

namespace elanus::wire {
namespace {

std::vector<Method> Registered() {
  std::vector<Method> all;
  for (const auto& family : MethodFamilies()) all.insert(all.end(), family.begin(), family.end());
  return all;
}

std::set<std::string> Contract() {
  const auto* service =
      milvus::proto::milvus::ConnectRequest::descriptor()->file()->FindServiceByName(
          "MilvusService");
  std::set<std::string> names;
  for (int i = 0; i < service->method_count(); ++i) names.insert(service->method(i)->name());
  return names;
}

struct Page {
  int answered = 0, all = 0;         // As its first sentence says.
  std::map<std::string, bool> rows;  // Method: is it answered.
};

Page ReadPage() {
  Page page;
  std::ifstream in(ELANUS_METHODS_PAGE);
  EXPECT_TRUE(in.is_open()) << ELANUS_METHODS_PAGE;
  for (std::string line; std::getline(in, line);) {
    char name[128] = "", answered[8] = "";
    const size_t numbers = line.find_first_of("0123456789");
    if (std::sscanf(line.c_str(), "| %127s | %7s |", name, answered) == 2) {
      const std::string word = answered;
      if (word != "yes" && word != "no") continue;  // The head of the table.
      EXPECT_TRUE(page.rows.emplace(name, word == "yes").second) << name;
    } else if (numbers != std::string::npos && page.all == 0) {
      std::sscanf(line.c_str() + numbers, "%d of %d are answered", &page.answered, &page.all);
    }
  }
  return page;
}

TEST(Methods, EachHasOneRowAndIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const Method& method : Registered()) {
    EXPECT_TRUE(names.insert(method.name).second) << method.name << " has two rows";
    const Method* found = FindMethod(method.name);
    ASSERT_NE(found, nullptr) << method.name;
    EXPECT_EQ(found->run, method.run) << method.name;
  }
  for (const char* name : {"", "search", "Search ", "NoSuchMethod"})
    EXPECT_EQ(FindMethod(name), nullptr) << name;
}

TEST(Methods, AllAreInTheContract) {
  const std::set<std::string> contract = Contract();
  for (const Method& method : Registered())
    EXPECT_TRUE(contract.contains(std::string(method.name))) << method.name;
}

TEST(Methods, ThePageOfMethodsSaysWhatIsAnswered) {
  const Page page = ReadPage();
  const std::set<std::string> contract = Contract();
  EXPECT_EQ(page.rows.size(), contract.size());
  for (const std::string& name : contract) {
    const auto row = page.rows.find(name);
    ASSERT_NE(row, page.rows.end()) << name << " is missing: ./dev docs";
    EXPECT_EQ(row->second, FindMethod(name) != nullptr) << name << ": ./dev docs";
  }
  EXPECT_EQ(page.all, static_cast<int>(contract.size()));
  EXPECT_EQ(page.answered, static_cast<int>(Registered().size()));
}

}  // namespace
}  // namespace elanus::wire
