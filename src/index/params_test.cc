// Parameters of every index type: what is accepted, what is refused and with which words.
#include "index/params.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "index/vector_index.h"

namespace elanus::index {
namespace {

using Texts = std::vector<std::string>;

struct Rule {
  std::vector<std::string> types;
  Phase phase;
  std::string name;
  Texts accepted;
  Texts refused;
};

const Texts kNoInteger = {
    "", "x", "8.0", "8x", " 8", "true", "1e3", "0x10", "99999999999999999999"};
const Texts kNoBool = {"", "yes", "2", "0", "tru"};

Texts With(Texts texts, const Texts& more) {
  texts.insert(texts.end(), more.begin(), more.end());
  return texts;
}

std::vector<Rule> Rules() {
  const std::vector<std::string> graphs = {"HNSW", "HNSW_SQ", "HNSW_PQ", "HNSW_PRQ"};
  const std::vector<std::string> lists = {
      "IVF_FLAT", "IVF_SQ8",     "IVF_PQ",    "IVF_RABITQ",
      "SCANN",    "IVF_FLAT_CC", "SCANN_DVR", "IVF_RABITQ_FASTSCAN"};
  const std::vector<std::string> disks = {"DISKANN", "AISAQ"};
  const std::vector<std::string> refine = {"HNSW_SQ", "HNSW_PQ", "HNSW_PRQ",
                                           "IVF_SQ8", "IVF_PQ",  "IVF_RABITQ"};
  const Texts up_to_65536 = {"1", "8", "65536"};
  const Texts not_up_to_65536 = With({"0", "-1", "65537"}, kNoInteger);
  const Texts integers = {"1", "16", "2147483647"};
  const Texts no_integers = With({"0", "-1", "2147483648"}, kNoInteger);
  const Texts bools = {"true", "True", "TRUE", "false", "False", "FALSE"};
  return {
      {graphs, Phase::kBuild, "M", {"2", "30", "2048"}, With({"1", "0", "2049"}, kNoInteger)},
      {graphs, Phase::kBuild, "efConstruction", integers, no_integers},
      {graphs, Phase::kSearch, "ef", integers, no_integers},
      {{"HNSW_SQ"},
       Phase::kBuild,
       "sq_type",
       {"SQ4U", "sq4u", "Sq6", "SQ8", "fp16", "FP16", "bf16"},
       {"", "sq5", "sq4", "fp32", "8", "INT8"}},
      {{"IVF_SQ8"},
       Phase::kBuild,
       "sq_type",
       {"SQ4", "sq4", "Sq6", "SQ8"},
       {"", "sq4u", "fp16", "8"}},
      {{"HNSW_PQ", "HNSW_PRQ", "IVF_PQ"}, Phase::kBuild, "m", up_to_65536, not_up_to_65536},
      {{"HNSW_PQ", "HNSW_PRQ", "IVF_PQ"},
       Phase::kBuild,
       "nbits",
       {"1", "8", "24"},
       With({"0", "-8", "25"}, kNoInteger)},
      {{"HNSW_PRQ"}, Phase::kBuild, "nrq", {"1", "2", "16"}, With({"0", "17"}, kNoInteger)},
      {{"IVF_RABITQ", "IVF_RABITQ_FASTSCAN"},
       Phase::kBuild,
       "rbq_bits",
       {"1", "4", "9"},
       With({"0", "10"}, kNoInteger)},
      {{"IVF_RABITQ_FASTSCAN"}, Phase::kBuild, "refine", bools, kNoBool},
      {{"IVF_RABITQ_FASTSCAN"},
       Phase::kBuild,
       "refine_type",
       {"fp32", "FLAT"},
       {"", "sq8", "fp16", "5"}},
      {{"IVF_RABITQ_FASTSCAN"}, Phase::kSearch, "refine_k", {"1", "2.5"}, {"0", "0.99", "x"}},
      {{"IVF_RABITQ_FASTSCAN"},
       Phase::kSearch,
       "rbq_bits_query",
       {"0"},
       With({"-1", "1", "8"}, kNoInteger)},
      {{"IVF_FLAT_CC"},
       Phase::kBuild,
       "ssize",
       {"32", "48", "2048"},
       With({"31", "2049"}, kNoInteger)},
      {{"SCANN_DVR"},
       Phase::kBuild,
       "refine_type",
       {"0", "1", "2", "3"},
       With({"-1", "4", "fp16"}, kNoInteger)},
      {{"SCANN_DVR"}, Phase::kSearch, "refine_ratio", {"1", "1.5"}, {"0.5", "x", ""}},
      {{"SCANN_DVR"}, Phase::kSearch, "refine_with_quant", bools, kNoBool},
      {refine, Phase::kBuild, "refine", bools, kNoBool},
      {refine,
       Phase::kBuild,
       "refine_type",
       {"sq6", "SQ8", "fp16", "BF16", "fp32", "flat", "FLAT"},
       {"", "sq5", "fp64", "true", "5"}},
      {{"IVF_SQ8", "IVF_PQ", "IVF_RABITQ"}, Phase::kBuild, "refine_type", {"sq6"}, {"sq4u"}},
      {refine,
       Phase::kSearch,
       "refine_k",
       {"1", "1.5", "1e2", "65536"},
       {"0", "0.99", "-1", "", "x", "nan", "1.5x"}},
      {lists, Phase::kBuild, "nlist", up_to_65536, not_up_to_65536},
      {lists, Phase::kSearch, "nprobe", up_to_65536, not_up_to_65536},
      {lists, Phase::kSearch, "ensure_topk_full", bools, kNoBool},
      {lists, Phase::kBuild, "use_elkan", bools, kNoBool},
      {lists,
       Phase::kSearch,
       "max_empty_result_buckets",
       {"0", "2", "65536"},
       With({"-1", "65537"}, kNoInteger)},
      {{"IVF_RABITQ"}, Phase::kSearch, "rbq_bits_query", {"0", "8"}, With({"-1", "9"}, kNoInteger)},
      {graphs, Phase::kSearch, "seed_ef", integers, no_integers},
      {graphs, Phase::kSearch, "disable_fallback_brute_force", bools, kNoBool},
      {{"HNSW_SQ", "HNSW_PQ", "HNSW_PRQ"},
       Phase::kSearch,
       "iterator_refine_ratio",
       {"0", "0.5", "2"},
       {"-0.1", "x", ""}},
      {{"SCANN"}, Phase::kBuild, "with_raw_data", bools, kNoBool},
      {{"SCANN", "SCANN_DVR"}, Phase::kBuild, "sub_dim", up_to_65536, not_up_to_65536},
      {{"SCANN", "SCANN_DVR"},
       Phase::kSearch,
       "reorder_k",
       {"1", "100", "65536"},
       With({"0"}, kNoInteger)},
      {disks, Phase::kBuild, "max_degree", {"1", "56", "2048"}, With({"0", "2049"}, kNoInteger)},
      {disks, Phase::kBuild, "search_list_size", integers, no_integers},
      {disks, Phase::kBuild, "pq_code_budget_gb_ratio", {"0", "0.125", "1"}, {"-1", "x", ""}},
      {disks, Phase::kBuild, "search_cache_budget_gb_ratio", {"0", "0.1", "1"}, {"-0.1", "x", ""}},
      {disks, Phase::kBuild, "build_dram_budget_gb", {"0", "8"}, {"-1", "x", ""}},
      {disks, Phase::kBuild, "disk_pq_dims", {"0", "16"}, kNoInteger},
      {disks, Phase::kBuild, "accelerate_build", bools, kNoBool},
      {disks, Phase::kSearch, "search_list", integers, no_integers},
      {{"DISKANN"}, Phase::kSearch, "beamwidth", {"1", "128"}, With({"0", "129"}, kNoInteger)},
      {{"AISAQ"}, Phase::kSearch, "beamwidth", {"1", "16"}, With({"0", "17"}, kNoInteger)},
      {{"AISAQ"}, Phase::kSearch, "vectors_beamwidth", {"1", "4"}, With({"0", "5"}, kNoInteger)},
      {{"AISAQ"},
       Phase::kSearch,
       "pq_read_page_cache_size",
       {"0", "33554432"},
       With({"-1", "33554433"}, kNoInteger)},
      {{"AISAQ"}, Phase::kBuild, "inline_pq", {"-1", "2048"}, With({"-2", "2049"}, kNoInteger)},
      {{"AISAQ"}, Phase::kBuild, "rearrange", bools, kNoBool},
      {{"AISAQ"}, Phase::kBuild, "num_entry_points", {"0", "1000"}, With({"1001"}, kNoInteger)},
      {{"AISAQ"}, Phase::kBuild, "pq_cache_size", {"0", "1073741824"}, With({"-1"}, kNoInteger)},
      {{"AISAQ"}, Phase::kBuild, "pq_read_io_engine", {"aio", "URING"}, {"", "mmap"}},
      {{"GPU_IVF_FLAT", "GPU_IVF_PQ"},
       Phase::kBuild,
       "nlist",
       {"1", "65536"},
       With({"0", "65537"}, kNoInteger)},
      {{"GPU_IVF_FLAT", "GPU_IVF_PQ"},
       Phase::kSearch,
       "nprobe",
       {"1", "65536"},
       With({"0", "65537"}, kNoInteger)},
      {{"GPU_IVF_PQ"}, Phase::kBuild, "m", {"0", "65536"}, With({"-1", "65537"}, kNoInteger)},
      {{"GPU_IVF_PQ"}, Phase::kBuild, "nbits", {"4", "8"}, With({"3", "9"}, kNoInteger)},
      {{"GPU_IVF_PQ"}, Phase::kSearch, "refine_ratio", {"1", "2.5"}, {"0.9", "x"}},
      {{"GPU_CAGRA"},
       Phase::kBuild,
       "intermediate_graph_degree",
       {"1", "128"},
       With({"0", "4097"}, kNoInteger)},
      {{"GPU_CAGRA"}, Phase::kBuild, "graph_degree", {"1", "64"}, With({"0", "4097"}, kNoInteger)},
      {{"GPU_CAGRA"}, Phase::kSearch, "itopk_size", {"1", "512"}, With({"0", "65537"}, kNoInteger)},
      {{"GPU_CAGRA"}, Phase::kSearch, "search_width", {"1", "16"}, With({"0", "2049"}, kNoInteger)},
      {{"GPU_CAGRA"}, Phase::kSearch, "ef", {"1", "200"}, With({"0"}, kNoInteger)},
      {disks, Phase::kSearch, "filter_threshold", {"-1", "0.5", "1"}, {"-1.1", "1.1", "x"}},
      {disks, Phase::kSearch, "min_k", {"1", "100", "2147483647"}, {"0", "-1", "x"}},
      {disks, Phase::kSearch, "max_k", {"1", "100", "2147483647"}, {"0", "-1", "x"}},
  };
}

TEST(Params, AcceptAndRefuseWhatTheContractSays) {
  for (const Rule& rule : Rules()) {
    for (const std::string& name : rule.types) {
      const IndexType* type = FindType(VectorKind::kDense, name);
      ASSERT_NE(type, nullptr) << name;
      for (const std::string& text : rule.accepted) {
        const auto params = ParseParams(type->params, rule.phase, {{rule.name, text}});
        ASSERT_TRUE(params.ok()) << name << " " << rule.name << "=" << text << ": "
                                 << params.status().ToString();
        EXPECT_TRUE(params->Has(rule.name)) << name << " does not know " << rule.name;
      }
      for (const std::string& text : rule.refused) {
        const auto params = ParseParams(type->params, rule.phase, {{rule.name, text}});
        EXPECT_EQ(params.status().code(), ErrorCode::kInvalidParameter)
            << name << " " << rule.name << "=" << text;
        EXPECT_NE(params.status().ToString().find(rule.name), std::string::npos)
            << params.status().ToString();
      }
    }
  }
}

// So that a parameter that a type gets is put into the table above.
TEST(Params, AreAllInTheTableOfThisTest) {
  std::set<std::string> ruled = {"HNSW refine"};  // Its own test below.
  for (const Rule& rule : Rules()) {
    for (const std::string& type : rule.types) ruled.insert(type + " " + rule.name);
  }
  for (const IndexType* type : TypesOf(VectorKind::kDense)) {
    for (const ParamSpec& spec : type->params) {
      EXPECT_TRUE(ruled.count(fmt::format("{} {}", type->name, spec.name)) == 1)
          << type->name << " " << spec.name;
    }
  }
}

TEST(Params, NameTheFaultTheRangeAndTheValue) {
  const auto message = [](std::string_view type, Phase phase, std::string name, std::string text) {
    return ParseParams(FindType(VectorKind::kDense, type)->params, phase,
                       {{std::move(name), std::move(text)}})
        .status()
        .ToString();
  };
  const std::pair<std::string, Texts> messages[] = {
      {message("HNSW", Phase::kBuild, "M", "1"), {"out_of_range_in_json", "[2, 2048]", "got 1"}},
      {message("HNSW", Phase::kBuild, "M", "x"), {"type_conflict_in_json", "integer", "got x"}},
      {message("IVF_FLAT", Phase::kSearch, "nprobe", "0"), {"out_of_range_in_json", "[1, 65536]"}},
      {message("IVF_SQ8", Phase::kBuild, "refine", "maybe"), {"type_conflict_in_json", "maybe"}},
      {message("IVF_SQ8", Phase::kBuild, "sq_type", "sq5"), {"invalid_value_in_json", "sq8"}},
      {message("IVF_PQ", Phase::kSearch, "refine_k", "0.5"), {"out_of_range_in_json", "0.5"}},
  };
  for (const auto& [text, words] : messages) {
    for (const std::string& word : words) EXPECT_NE(text.find(word), std::string::npos) << text;
  }
}

TEST(Params, IgnoreUnknownNamesAndThoseOfTheOtherPhase) {
  for (const IndexType* type : AllTypes()) {
    for (Phase phase : {Phase::kBuild, Phase::kSearch}) {
      std::map<std::string, std::string> texts = {{"unknown", "x"}, {"dim", "no number"}};
      for (const ParamSpec& spec : type->params) {
        const bool is_of_both =
            std::any_of(type->params.begin(), type->params.end(), [&](const ParamSpec& other) {
              return other.phase == phase && other.name == spec.name;
            });
        if (!is_of_both) texts[std::string(spec.name)] = "no value at all";
      }
      EXPECT_TRUE(ParseParams(type->params, phase, texts).ok()) << type->name;
    }
  }
}

TEST(Params, FallBackToAnyInteger) {
  Params params;
  for (const int64_t fallback :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(params.GetInt("max_k", fallback), fallback);
  }
  params.Set("max_k", 20);
  EXPECT_EQ(params.GetInt("max_k", std::numeric_limits<int64_t>::max()), 20);
}

TEST(Params, HaveDefaultsWithinTheirRanges) {
  for (const IndexType* type : AllTypes()) {
    for (const ParamSpec& spec : type->params) {
      EXPECT_LE(spec.min, spec.max) << type->name << " " << spec.name;
      EXPECT_FALSE(spec.help.empty()) << type->name << " " << spec.name;
      EXPECT_EQ(spec.kind == ParamKind::kChoice, !spec.choices.empty());
      if (spec.kind == ParamKind::kChoice) {
        EXPECT_LT(spec.default_value, static_cast<double>(spec.choices.size()));
      }
    }
  }
}

Status Check(std::string_view type_name, uint32_t dim,
             const std::map<std::string, std::string>& texts) {
  const IndexType* type = FindType(VectorKind::kDense, type_name);
  TRY_ASSIGN(const Params params, ParseParams(type->params, Phase::kBuild, texts));
  return type->Check == nullptr ? Status() : type->Check(dim, params);
}

TEST(Check, WantsPartsThatDivideTheDimension) {
  for (std::string_view type : {"IVF_PQ", "HNSW_PQ", "HNSW_PRQ"}) {
    EXPECT_TRUE(Check(type, 96, {{"m", "32"}}).ok()) << type;
    EXPECT_TRUE(Check(type, 96, {{"m", "96"}}).ok()) << type;
    for (const char* m : {"5", "64", "97", "192"}) {
      EXPECT_EQ(Check(type, 96, {{"m", m}}).code(), ErrorCode::kInvalidParameter) << type << m;
    }
  }
  EXPECT_TRUE(Check("SCANN", 96, {{"sub_dim", "3"}}).ok());
  EXPECT_EQ(Check("SCANN", 96, {{"sub_dim", "5"}}).code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(Check("SCANN", 7, {}).code(), ErrorCode::kInvalidParameter);      // 2 by default.
  EXPECT_EQ(Check("HNSW_PQ", 48, {}).code(), ErrorCode::kInvalidParameter);   // 32 by default.
  EXPECT_EQ(Check("HNSW_PRQ", 49, {}).code(), ErrorCode::kInvalidParameter);  // 2 by default.
}

TEST(Check, WantsTheNumberOfPartsOfIvfPq) {
  const Status refused = Check("IVF_PQ", 96, {{"nlist", "16"}});
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(refused.ToString().find("m"), std::string::npos);
}

TEST(Check, RefusesRefineForHnswWhichHasNothingToRefine) {
  EXPECT_TRUE(Check("HNSW", 96, {{"refine", "false"}}).ok());
  EXPECT_EQ(Check("HNSW", 96, {{"refine", "true"}}).code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(Check("HNSW", 96, {{"refine", "maybe"}}).code(), ErrorCode::kInvalidParameter);
}

TEST(FindType, KnowsEachTypeByItsNameAndAliases) {
  std::set<std::string_view> names;
  for (const IndexType* type : AllTypes()) {
    EXPECT_EQ(FindType(type->kind, type->name), type);
    EXPECT_TRUE(IsTypeName(type->name));
    const bool twice =
        type->kind == VectorKind::kBinary && FindType(VectorKind::kDense, type->name) != nullptr;
    EXPECT_NE(names.insert(type->name).second, twice) << type->name;
  }
  const std::pair<const char*, const char*> aliases[] = {
      {"IVF_SQ", "IVF_SQ8"}, {"IVFSQ", "IVF_SQ8"}, {"IVFFLAT", "IVF_FLAT"}, {"IVFPQ", "IVF_PQ"}};
  for (const auto& [alias, name] : aliases) {
    ASSERT_NE(FindType(VectorKind::kDense, alias), nullptr) << alias;
    EXPECT_EQ(FindType(VectorKind::kDense, alias)->name, name);
  }
  for (const char* unknown : {"", "hnsw", "IVF", "ANNOY", "RHNSW_FLAT", "RHNSW_SQ", "RHNSW_PQ",
                              "NSG", "RNSG", "IVF_HNSW", "AUTOINDEX", "HNSW "}) {
    EXPECT_EQ(FindType(VectorKind::kDense, unknown), nullptr) << unknown;
    EXPECT_FALSE(IsTypeName(unknown)) << unknown;
  }
}

TEST(ResolveAutoIndex, ChoosesParametersItsTypeAccepts) {
  for (ElementType element : {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16,
                              ElementType::kInt8, ElementType::kBit, ElementType::kSparse}) {
    const VectorKind kind = KindOf(element);
    const AutoChoice choice = ResolveAutoIndex(element, DefaultMetric(kind));
    ASSERT_NE(choice.type, nullptr);
    EXPECT_TRUE(choice.type->Takes(element));
    EXPECT_TRUE(choice.type->Takes(DefaultMetric(kind)));
    const auto params = ParseParams(choice.type->params, Phase::kBuild, choice.params);
    ASSERT_TRUE(params.ok()) << params.status().ToString();
    for (const auto& [name, text] : choice.params) EXPECT_TRUE(params->Has(name)) << name;
  }
}

}  // namespace
}  // namespace elanus::index
