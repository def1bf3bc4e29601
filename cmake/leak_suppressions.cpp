// Leaks of others that the address sanitizer is to pass over; part of every program of ours that is
// built with it.

#include <thread>

extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name

/// libtorch never frees a TorchScript interface: the type holds its methods' schemas, which hold
/// the type; some kilobytes for each bundle that is loaded. The last line is of strings that these
/// hold.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT
  return "leak:c10::InterfaceType\n"
         "leak:c10::FunctionSchema\n"
         "leak:c10::Argument\n"
         "leak:c10::OptionalType::create\n"
         "leak:c10::QualifiedName\n"
         "leak:c10::Type::SingletonOrSharedTypePtr\n"
         "leak:std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"
         "::_M_construct<char*>\n";
}

extern "C" const char* __lsan_default_options();  // NOLINT

/// Only leaks that are none of these are told.
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }  // NOLINT

extern "C" int __lsan_is_turned_off();  // NOLINT

/// Leaks are looked for by a thread, and where none can be started the search ends the program.
extern "C" int __lsan_is_turned_off() {  // NOLINT
  try {
    std::thread([] {}).join();
    return 0;
  } catch (...) {
    return 1;
  }
}
