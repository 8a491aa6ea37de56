// Tells the thread sanitizer what a gRPC completion queue orders: it is not built into gRPC.
#pragma once

#ifdef ELANUS_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace elanus::wire {

/// Everything this thread did so far comes before what another does after Taken(tag). To be called
/// before an operation is started under `tag`. Costs nothing in other builds.
inline void Giving([[maybe_unused]] void* tag) {
#ifdef ELANUS_THREAD_SANITIZER
  __tsan_release(tag);
#endif
}

/// To be called when the queue has handed `tag` back, before anything else of the call is touched.
inline void Taken([[maybe_unused]] void* tag) {
#ifdef ELANUS_THREAD_SANITIZER
  __tsan_acquire(tag);
#endif
}

}  // namespace elanus::wire
