// What a kernel body sees of the machine that executes it.
//
// A body is a function template over a context `Ctx` and is compiled twice: by nvcc for a device,
// and by the host's compiler for the tests' executors. It is run once for each thread of a grid,
// and touches memory that it shares with other threads only through its context:
//
//   unsigned thread(), threads()         in the thread block, and how many those are
//   unsigned block_x(), block_y()        the thread block in the grid
//   unsigned blocks_x(), blocks_y()      the grid
//   T* shared<T>()                       the thread block's shared memory, aligned to 16 bytes
//   void sync()                          barrier: every thread of the thread block comes here
//   T load(const T*)                     reads what nothing in this launch writes; may be cached so
//   T load_coherent(const T*)            reads what this launch may write as well
//   void store(T*, T)                    writes
//   std::uint32_t atomic_add(std::uint32_t*, std::uint32_t)   returns what was there
//   void fence_system()                  orders the accesses of this thread, and those of others
//                                        that it has met at a sync(), for device and host
//   void store_release(std::uint64_t*, std::uint64_t)         for the host's acquiring load
//
// load, load_coherent and store move 1 to 16 bytes at a time best, each aligned to its size.
// Shared memory is accessed directly. A thread reads what another one wrote there only after a
// sync(), and no thread of a thread block may return before a sync() that others come to.
#pragma once

#ifdef __CUDACC__
#define FIRBANK_HD __device__ __forceinline__
#define FIRBANK_UNROLL _Pragma("unroll")
#else
#define FIRBANK_HD inline
#define FIRBANK_UNROLL
#endif
