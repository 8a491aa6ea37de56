// Copies of what is read in random order, on huge pages.
#pragma once

#include <memory>
#include <string_view>

namespace elanus {

/// A copy of `bytes` at a multiple of 64, on huge pages where the system gives them: with pages of
/// 4 KB most of the time of random reads goes into page walks. Read-only; null when there is no
/// memory. Its end, up to 2 MB, is rounded up to a whole page.
std::shared_ptr<char> HugeCopy(std::string_view bytes);

}  // namespace elanus
