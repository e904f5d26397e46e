// UNCLIP_CLONES before a function: it is compiled for several instruction sets, and the best that the
// processor has is chosen when the program starts. For plain functions with loops that the compiler
// vectorises. UNCLIP_INLINE before a helper of such a function: it becomes part of every clone.
#pragma once

#define UNCLIP_INLINE __attribute__((always_inline)) inline

// ThreadSanitizer instruments the functions that choose, which run before it is ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define UNCLIP_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UNCLIP_CLONES
#endif
