/// The frame of a program: its process, its failures, and its lines on standard error.
#pragma once

#include <functional>
#include <string>

namespace fjord::apps {

/// Runs the work of a program and returns the exit status of the process: what `work` returns, or,
/// after one line on standard error, 2 for a mistake of the caller and 1 for any other failure.
///
/// Before the work, it chooses the kernels of the BLAS, for which it may start the program again
/// with the same arguments, and lets the process keep the memory that it gives back. After the
/// work, a standard output that could not be written is a failure.
///
/// `name` is the program's, which its lines begin with; argv is that of main().
int run_program(const char* name, char** argv, const std::function<int()>& work);

/// Prints a line "name: text" to standard error.
void print_note(const char* name, const std::string& text);

}  // namespace fjord::apps
