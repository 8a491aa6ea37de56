// Texts on their way to a model service.
#pragma once

#include <span>
#include <string_view>

namespace elanus::functions {

using Texts = std::span<const std::string_view>;

/// What texts are embedded for: some models embed what is stored and what is looked for in two
/// ways.
enum class TextUse { kDocument, kQuery };

}  // namespace elanus::functions
