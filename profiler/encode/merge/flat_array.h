// A growable array of plain data. Unlike std::vector it says beforehand what
// growing takes, leaves new elements as they are, and grows large arrays in
// place, where the pages are moved and not copied.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_FLAT_ARRAY_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_FLAT_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace wallprof {

template <typename T>
class FlatArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return data_.get(); }
  T* data() { return data_.get(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& operator[](size_t i) { return data()[i]; }
  T& back() { return data()[size_ - 1]; }

  size_t bytes() const { return capacity_ * sizeof(T); }

  // What bytes() is once there is room for `size` elements.
  size_t BytesFor(size_t size) const { return CapacityFor(size) * sizeof(T); }

  void Reserve(size_t size) {
    if (size > capacity_) Grow(CapacityFor(size));
  }

  void push_back(const T& element) {
    if (size_ == capacity_) {
      const T copy = element;  // it may lie in here
      Reserve(size_ + 1);
      data()[size_++] = copy;
      return;
    }
    data()[size_++] = element;
  }

  // Appends `count` elements, whose values are not set.
  T* Extend(size_t count) {
    Reserve(size_ + count);
    T* first = data() + size_;
    size_ += count;
    return first;
  }

  // Makes it `size` elements, all equal to `element`.
  void Assign(size_t size, const T& element) {
    size_ = 0;
    std::fill_n(Extend(size), size, element);
  }

  // Capacity is kept.
  void Shrink(size_t size) { size_ = size; }
  void clear() { size_ = 0; }

  void Release() {
    data_.reset();
    size_ = capacity_ = 0;
  }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };

  size_t CapacityFor(size_t size) const {
    if (size <= capacity_) return capacity_;
    return std::max(size, capacity_ + capacity_ / 2);
  }

  void Grow(size_t capacity) {
    void* grown =
        std::realloc(static_cast<void*>(data_.get()), capacity * sizeof(T));
    if (grown == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(static_cast<T*>(grown));
    capacity_ = capacity;
  }

  std::unique_ptr<T[], Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_FLAT_ARRAY_H_
