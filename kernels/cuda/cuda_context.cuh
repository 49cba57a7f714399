// The context (context.hpp) of a thread on a GPU. Included by .cu files only.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace firbank::cuda {

class CudaContext {
 public:
  __device__ unsigned thread() const { return threadIdx.x; }
  __device__ unsigned threads() const { return blockDim.x; }
  __device__ unsigned block_x() const { return blockIdx.x; }
  __device__ unsigned block_y() const { return blockIdx.y; }
  __device__ unsigned blocks_x() const { return gridDim.x; }
  __device__ unsigned blocks_y() const { return gridDim.y; }

  template <class T>
  __device__ T* shared() {
    extern __shared__ uint4 firbank_shared[];
    return reinterpret_cast<T*>(firbank_shared);
  }

  __device__ void sync() { __syncthreads(); }

  template <class T>
  __device__ T load(const T* from) {
    return load_words(from, [](const Word<T>* word) { return __ldg(word); });
  }

  // Past the first-level cache, which does not see what other multiprocessors write.
  template <class T>
  __device__ T load_coherent(const T* from) {
    return load_words(from, [](const Word<T>* word) { return __ldcg(word); });
  }

  template <class T>
  __device__ void store(T* to, T value) {
    Word<T> words[sizeof(T) / sizeof(Word<T>)];
    std::memcpy(words, &value, sizeof(T));
#pragma unroll
    for (unsigned i = 0; i < sizeof(T) / sizeof(Word<T>); ++i) {
      reinterpret_cast<Word<T>*>(to)[i] = words[i];
    }
  }

  __device__ std::uint32_t atomic_add(std::uint32_t* to, std::uint32_t value) {
    return atomicAdd(to, value);
  }

  // What messages need. __threadfence_system() also puts all fences into one order.
  __device__ void fence_system() {
    asm volatile("fence.acq_rel.sys;" ::: "memory");
  }

  // The fence also takes up what other thread blocks fenced before an atomic_add() that this one
  // has seen, so that the host sees their writes as well.
  __device__ void store_release(std::uint64_t* to, std::uint64_t value) {
    fence_system();
    asm volatile("st.relaxed.sys.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
  }

 private:
  /// The widest access that T's alignment allows.
  template <class T>
  using Word = std::conditional_t<
      alignof(T) % 16 == 0, uint4,
      std::conditional_t<alignof(T) % 8 == 0, uint2,
                         std::conditional_t<alignof(T) % 4 == 0, unsigned,
                                            std::conditional_t<alignof(T) % 2 == 0, unsigned short,
                                                               unsigned char>>>>;

  template <class T, class Load>
  __device__ static T load_words(const T* from, Load load_word) {
    static_assert(std::is_trivially_copyable_v<T>);
    Word<T> words[sizeof(T) / sizeof(Word<T>)];
#pragma unroll
    for (unsigned i = 0; i < sizeof(T) / sizeof(Word<T>); ++i) {
      words[i] = load_word(reinterpret_cast<const Word<T>*>(from) + i);
    }
    T value;
    std::memcpy(&value, words, sizeof(T));
    return value;
  }
};

}  // namespace firbank::cuda
