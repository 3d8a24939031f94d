/// The frame of a program: its process, its failures, and its lines on standard error.
#pragma once

#include <functional>
#include <string>

#include "fjord/autodiff/communicator.hpp"

namespace fjord::apps {

/// The work of a program, on every rank that a launcher of MPI started.
using Work = std::function<int(const Communicator& ranks)>;

/// Runs the work of a program and returns the exit status of the process: what `work` returns, or,
/// after one line on standard error, 2 for a mistake of the caller and 1 for any other failure.
///
/// Before the work, it chooses the kernels of the BLAS, for which it may start the program again
/// with the same arguments, lets the process keep the memory that it gives back, and ignores the
/// signal that tells of a limit on the size of files. After the work, a standard output that could
/// not be written is a failure.
///
/// Of several ranks, only rank 0 has a standard output, and tells what failed and on which rank;
/// what other ranks do not learn of in time ends them all, after a line of the rank where it is.
///
/// `name` is the program's, which its lines begin with; argv is that of main().
int run_program(const char* name, char** argv, const Work& work);

/// Prints a line "name: text" to standard error.
void print_note(const char* name, const std::string& text);

}  // namespace fjord::apps
