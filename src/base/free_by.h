#pragma once

namespace moviechat {

/// Deleter of a std::unique_ptr that calls a C function, Free(T*).
template <auto Free>
struct FreeBy {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

}  // namespace moviechat
