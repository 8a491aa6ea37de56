// The tokenizer lindera, on MeCab: words of Japanese and Korean by a dictionary and the cheapest
// way through the lattice of all words that a sentence could hold (Kudo, Yamamoto and Matsumoto
// 2004).
#include <fmt/format.h>
#include <mecab.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "text/file_param.h"
#include "text/options.h"
#include "text/tokenizer/tokenizer.h"
#include "text/unicode.h"

namespace elanus::text {
namespace {

using nlohmann::json;

// How much dearer long words are in the mode that takes compounds apart, as Lindera has it.
constexpr int64_t kKanjiLength = 2;
constexpr int64_t kKanjiPenalty = 3000;
constexpr int64_t kOtherLength = 7;
constexpr int64_t kOtherPenalty = 1700;
// Features of a word that its tag is made of.
constexpr size_t kJapaneseFeatures = 4;

struct Word {
  std::string_view text;
  std::string tag;
};
using Words = std::vector<Word>;

// The first features, as in "noun,general,*,*".
std::string TagOf(std::string_view feature, size_t count) {
  std::string tag;
  for (size_t i = 0; i < count; ++i) {
    const size_t comma = feature.find(',');
    const std::string_view part = feature.substr(0, comma);
    tag += (i == 0 ? "" : ",") + std::string(part.empty() ? "*" : part);
    feature = comma == std::string_view::npos ? std::string_view() : feature.substr(comma + 1);
  }
  return tag;
}

// A step of the filter list.
struct WordFilter {
  enum class Kind { kKeep, kStop, kCompound };
  Kind kind = Kind::kKeep;
  std::set<std::string> tags;
  std::string new_tag;  // kCompound: of what is put together.

  void Apply(Words& words) const {
    if (kind != Kind::kCompound) {
      const bool keeps = kind == Kind::kKeep;
      std::erase_if(words, [&](const Word& word) { return tags.contains(word.tag) != keeps; });
      return;
    }
    Words joined;
    bool is_open = false;
    for (Word& word : words) {
      const bool is_part = tags.contains(word.tag);
      const bool follows =
          is_open && is_part && !joined.empty() &&
          joined.back().text.data() + joined.back().text.size() == word.text.data();
      if (follows) {
        Word& last = joined.back();
        last.text = {last.text.data(), last.text.size() + word.text.size()};
        if (!new_tag.empty()) last.tag = new_tag;
      } else {
        joined.push_back(std::move(word));
      }
      is_open = is_part;
    }
    words = std::move(joined);
  }
};

// Words of the user's own, with MeCab's features of each. Where one stands in a text it is a word,
// the longest at its place.
class UserWords {
 public:
  // Lines "word,part of speech,reading", or as dictionaries of MeCab have them: "word,left id,right
  // id,cost,features".
  Status Read(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      std::vector<std::string_view> parts;
      for (std::string_view rest = line; parts.empty() || rest.data() != nullptr;) {
        const size_t comma = rest.find(',');
        parts.push_back(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      }
      constexpr size_t kSimple = 3;
      constexpr size_t kFeatures = 4;
      const bool is_simple = parts.size() == kSimple;
      if (parts[0].empty() || (!is_simple && parts.size() <= kFeatures))
        return Error(ErrorCode::kSegcore, "a line of user_dict is none of a dictionary: {}", line);
      std::string word(parts[0]);
      longest_ = std::max(longest_, word.size());
      features_[std::move(word)] =
          is_simple ? fmt::format("{},*,*,*,*,*,{},{},*", parts[1], parts[0], parts[2])
                    : std::string(parts[kFeatures].data(), line.data() + line.size());
    }
    return {};
  }

  // The lattice keeps pointers into this object.
  void Constrain(std::string_view sentence, MeCab::Lattice& lattice) const {
    if (features_.empty()) return;
    for (size_t at = 0; at < sentence.size();) {
      size_t length = std::min(longest_, sentence.size() - at);
      auto found = features_.end();
      for (; length > 0; --length) {
        found = features_.find(sentence.substr(at, length));
        if (found != features_.end()) break;
      }
      if (length == 0) {
        NextCharacter(sentence, at);
        continue;
      }
      lattice.set_feature_constraint(at, at + length, found->second.c_str());
      at += length;
    }
  }

 private:
  std::map<std::string, std::string, std::less<>> features_;
  size_t longest_ = 0;
};

int64_t PenaltyOf(std::string_view word) {
  int64_t characters = 0;
  bool all_kanji = true;
  for (size_t at = 0; at < word.size();) {
    all_kanji = IsHan(NextCharacter(word, at)) && all_kanji;
    ++characters;
  }
  const int64_t length = all_kanji ? kKanjiLength : kOtherLength;
  const int64_t penalty = all_kanji ? kKanjiPenalty : kOtherPenalty;
  return characters > length ? (characters - length) * penalty : 0;
}

class Lindera final : public Tokenizer {
 public:
  Lindera(std::shared_ptr<MeCab::Model> model, bool takes_apart, size_t features,
          std::vector<WordFilter> filters, UserWords user_words)
      : model_(std::move(model)),
        tagger_(model_->createTagger()),
        takes_apart_(takes_apart),
        features_(features),
        filters_(std::move(filters)),
        user_words_(std::move(user_words)) {}

  void Tokenize(std::string_view text, Tokens& tokens) const override {
    const std::unique_ptr<MeCab::Lattice> lattice(model_->createLattice());
    Words words;
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view sentence = TakeSentence(rest);
      lattice->set_sentence(sentence.data(), sentence.size());
      user_words_.Constrain(sentence, *lattice);
      if (!tagger_->parse(lattice.get())) continue;
      for (const MeCab::Node* node : takes_apart_ ? Cheapest(*lattice) : Best(*lattice)) {
        words.push_back({{node->surface, node->length}, TagOf(node->feature, features_)});
      }
    }
    for (const WordFilter& filter : filters_) filter.Apply(words);
    uint32_t position = 0;
    for (const Word& word : words) {
      const auto begin = static_cast<uint32_t>(word.text.data() - text.data());
      tokens.push_back({.text = std::string(word.text),
                        .begin = begin,
                        .end = begin + static_cast<uint32_t>(word.text.size()),
                        .position = position++});
    }
  }

 private:
  using Nodes = std::vector<const MeCab::Node*>;

  // Up to and with the next end of a sentence.
  static std::string_view TakeSentence(std::string_view& rest) {
    static constexpr std::string_view kEnds[] = {"。", "、", "\n", "\t"};
    size_t end = rest.size();
    for (std::string_view mark : kEnds) {
      const size_t at = rest.find(mark);
      if (at != std::string_view::npos) end = std::min(end, at + mark.size());
    }
    const std::string_view sentence = rest.substr(0, end);
    rest.remove_prefix(end);
    return sentence;
  }

  static Nodes Best(const MeCab::Lattice& lattice) {
    Nodes nodes;
    for (const MeCab::Node* node = lattice.bos_node(); node != nullptr; node = node->next) {
      if (node->stat == MECAB_NOR_NODE || node->stat == MECAB_UNK_NODE) nodes.push_back(node);
    }
    return nodes;
  }

  // The cheapest way when long words cost more.
  Nodes Cheapest(const MeCab::Lattice& lattice) const {
    struct Way {
      const MeCab::Node* node;
      int64_t cost;
      size_t before;  // Where the way to it is; its own place: it begins here.
    };
    std::vector<Way> ways = {{lattice.bos_node(), 0, 0}};
    std::vector<std::vector<size_t>> ends(lattice.size() + 1);
    ends[0] = {0};
    const auto cheapest = [&](size_t at, const MeCab::Node& node) {
      Way way{&node, std::numeric_limits<int64_t>::max(), 0};
      for (size_t before : ends[at]) {
        const int64_t cost =
            ways[before].cost + model_->transition_cost(ways[before].node->rcAttr, node.lcAttr);
        if (cost < way.cost) way = {&node, cost, before};
      }
      return way;
    };
    for (size_t at = 0; at < lattice.size(); ++at) {
      if (ends[at].empty()) continue;
      for (const MeCab::Node* node = lattice.begin_nodes(at); node != nullptr; node = node->bnext) {
        const size_t end = at + node->rlength;
        if (node->rlength == 0 || end > lattice.size()) continue;  // The end of the sentence.
        Way way = cheapest(at, *node);
        way.cost += node->wcost + PenaltyOf({node->surface, node->length});
        ends[end].push_back(ways.size());
        ways.push_back(way);
      }
    }
    size_t last = lattice.size();
    while (ends[last].empty()) --last;  // White space may be left.
    Nodes nodes;
    for (size_t at = cheapest(last, *lattice.eos_node()).before; at != 0; at = ways[at].before) {
      nodes.push_back(ways[at].node);
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
  }

  const std::shared_ptr<MeCab::Model> model_;
  const std::unique_ptr<MeCab::Tagger> tagger_;
  const bool takes_apart_;
  const size_t features_;
  const std::vector<WordFilter> filters_;
  const UserWords user_words_;
};

// Dictionaries are mapped from their files once, for all analyzers.
class Dictionaries {
 public:
  Result<std::shared_ptr<MeCab::Model>> Open(const std::string& kind) {
    const std::string folder = FolderOf(kind);
    if (folder.empty() || folder.find_first_of(" \"'") != std::string::npos) {
      return Error(ErrorCode::kSegcore,
                   "the dictionary {} is not installed: "
                   "function.analyzer.lindera.dictionaries.{} should say where it is",
                   kind, kind);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<MeCab::Model>& model = models_[folder];
    if (model == nullptr) {
      model.reset(MeCab::createModel(("-r /dev/null -d " + folder).c_str()));
    }
    if (model != nullptr) return model;
    models_.erase(folder);
    return Error(ErrorCode::kSegcore, "the dictionary {} of the lindera tokenizer cannot be opened",
                 kind);
  }

 private:
  static std::string FolderOf(const std::string& kind) {
    const TextOptions options = GetTextOptions();
    const auto given = options.dictionaries.find(kind);
    if (given != options.dictionaries.end()) return given->second;
    // Where Debian's packages put them.
    if (kind == "ipadic") return "/var/lib/mecab/dic/ipadic-utf8";
    if (kind == "unidic") return "/var/lib/mecab/dic/unidic";
    return "";
  }

  std::mutex mutex_;  // Guards `models_`; held while a dictionary is mapped.
  std::unordered_map<std::string, std::shared_ptr<MeCab::Model>> models_;
};

Result<std::set<std::string>> ReadTags(const json& filter, const std::string& kind,
                                       size_t features) {
  const auto tags = filter.find("tags");
  if (tags == filter.end() || !tags->is_array()) {
    return Error(ErrorCode::kSegcore, "lindera filter {} must set tags, a list", kind);
  }
  std::set<std::string> read;
  for (const json& tag : *tags) {
    if (!tag.is_string()) {
      return Error(ErrorCode::kSegcore, "tags of lindera filter {} should be strings", kind);
    }
    read.insert(TagOf(tag.get<std::string>(), features));
  }
  return read;
}

Result<WordFilter> ReadFilter(const json& item, bool is_korean) {
  const json filter = item.is_string() ? json{{"kind", item}} : item;
  if (!filter.is_object() || !filter.contains("kind") || !filter["kind"].is_string()) {
    return Status(ErrorCode::kSegcore, "a lindera filter should be a name or have a kind");
  }
  const std::string kind = filter["kind"].get<std::string>();
  const bool is_of_korean = kind.starts_with("korean_");
  const size_t features = is_of_korean ? 1 : kJapaneseFeatures;
  WordFilter made;
  if (kind == "japanese_keep_tags" || kind == "korean_keep_tags") {
    made.kind = WordFilter::Kind::kKeep;
  } else if (kind == "japanese_stop_tags" || kind == "korean_stop_tags") {
    made.kind = WordFilter::Kind::kStop;
  } else if (kind == "japanese_compound_word") {
    made.kind = WordFilter::Kind::kCompound;
    if (filter.contains("new_tag")) {
      if (!filter["new_tag"].is_string()) {
        return Error(ErrorCode::kSegcore, "new_tag of lindera filter {} should be a string", kind);
      }
      made.new_tag = TagOf(filter["new_tag"].get<std::string>(), features);
    }
  } else {
    return Error(ErrorCode::kSegcore, "unsupported lindera filter: {}", kind);
  }
  if (is_of_korean != is_korean) {
    return Error(ErrorCode::kSegcore, "lindera filter {} is for another language's dictionary",
                 kind);
  }
  TRY_ASSIGN(made.tags, ReadTags(filter, kind, features));
  return made;
}

}  // namespace

Result<TokenizerPtr> MakeLinderaTokenizer(const json& params) {
  static Dictionaries dictionaries;
  const auto kind = params.find("dict_kind");
  if (kind == params.end() || !kind->is_string()) {
    return Status(ErrorCode::kSegcore, "lindera tokenizer must set dict_kind");
  }
  const std::string name = kind->get<std::string>();
  static const std::set<std::string> kKinds = {"ipadic", "ipadic-neologd", "unidic", "ko-dic",
                                               "cc-cedict"};
  if (!kKinds.contains(name)) {
    return Error(ErrorCode::kSegcore, "unsupported lindera dict kind: {}", name);
  }
  const json mode = params.value("mode", json("normal"));
  if (mode != "normal" && mode != "decompose") {
    return Error(ErrorCode::kSegcore, "lindera mode must be normal or decompose, got {}",
                 mode.dump());
  }
  static const std::string kUserWords = "user_dict";
  const std::string file = FileName(params, kUserWords);
  if (!file.empty() && !file.ends_with(".csv"))
    return Error(ErrorCode::kSegcore, "user_dict of lindera should be a .csv file, got {}", file);
  TRY_ASSIGN(const std::vector<std::string> lines, FileLines(params, kUserWords));
  UserWords user_words;
  TRY(user_words.Read(lines));
  const bool is_korean = name == "ko-dic";
  std::vector<WordFilter> filters;
  if (const auto list = params.find("filter"); list != params.end()) {
    if (!list->is_array()) return Status(ErrorCode::kSegcore, "lindera filter should be array");
    for (const json& item : *list) {
      TRY_ASSIGN(WordFilter filter, ReadFilter(item, is_korean));
      filters.push_back(std::move(filter));
    }
  }
  TRY_ASSIGN(auto model, dictionaries.Open(name));
  return TokenizerPtr(std::make_unique<Lindera>(std::move(model), mode == "decompose",
                                                is_korean ? 1 : kJapaneseFeatures,
                                                std::move(filters), std::move(user_words)));
}

}  // namespace elanus::text
