#include "profiler/unwind/unwinder.h"

#include <algorithm>

#include "profiler/unwind/frame_pointer.h"
#include "profiler/unwind/frame_pointer_search.h"
#include "profiler/unwind/libunwind.h"

namespace wallprof::unwind {
namespace {

// Rows of unwind information that libunwind keeps, one a program counter. Its
// default of 128 is exceeded by any but the smallest program, and a miss costs
// a hundred times a hit. About 2 MiB.
constexpr size_t kRowCacheSize = 8192;

// A walk that read more words than this is not worth comparing again.
constexpr size_t kMaxMemoWords = 1024;

}  // namespace

// libunwind's questions, answered from the copy under way.
class Unwinder::Callbacks {
 public:
  static unw_accessors_t Accessors() {
    unw_accessors_t accessors = {};
    accessors.find_proc_info = FindProcInfo;
    accessors.put_unwind_info = [](unw_addr_space_t, unw_proc_info_t*, void*) {
    };
    accessors.get_dyn_info_list_addr = [](unw_addr_space_t, unw_word_t*,
                                          void*) { return -UNW_ENOINFO; };
    accessors.access_mem = AccessMemory;
    accessors.access_reg = AccessRegister;
    accessors.access_fpreg = [](unw_addr_space_t, unw_regnum_t, unw_fpreg_t*,
                                int, void*) { return -UNW_EBADREG; };
    accessors.resume = [](unw_addr_space_t, unw_cursor_t*, void*) {
      return -UNW_EINVAL;
    };
    accessors.get_proc_name = [](unw_addr_space_t, unw_word_t, char*, size_t,
                                 unw_word_t*, void*) { return -UNW_ENOINFO; };
    return accessors;
  }

 private:
  static Unwinder& Self(void* argument) {
    return *static_cast<Unwinder*>(argument);
  }

  // The search was done by CfiIndex; libunwind is shown a table with that one
  // entry and reads the rest from there.
  static int FindProcInfo(unw_addr_space_t space, unw_word_t ip,
                          unw_proc_info_t* info, int need_unwind_info,
                          void* argument) {
    const FrameDescription* found = Self(argument).cfi_.Find(ip);
    if (found == nullptr) return -UNW_ENOINFO;
    unw_dyn_info_t table = {};
    table.start_ip = found->start;
    table.end_ip = found->limit;
    table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
    table.u.rti.segbase = found->frame_header;
    table.u.rti.table_data = found->table_entry;
    table.u.rti.table_len = 1;
    return LibUnwind::Get().search_unwind_table(space, ip, &table, info,
                                                need_unwind_info, argument);
  }

  static int AccessMemory(unw_addr_space_t, unw_word_t address,
                          unw_word_t* value, int write, void* argument) {
    if (write) return -UNW_EINVAL;
    Unwinder& self = Self(argument);
    uint64_t word;
    if (self.ReadStack(address, word) || self.ReadImage(address, word)) {
      *value = word;
      return 0;
    }
    if (self.walk_->missing == 0) self.walk_->missing = address;
    return -UNW_EINVAL;
  }

  static int AccessRegister(unw_addr_space_t, unw_regnum_t number,
                            unw_word_t* value, int write, void* argument) {
    if (write) return -UNW_EINVAL;
    Unwinder& self = Self(argument);
    const Registers& registers = self.copy_->registers;
    if (number < 0 || number >= kRegisterCount) return -UNW_EBADREG;
    const auto reg = static_cast<Register>(number);
    if (registers.Knows(reg)) {
      *value = registers.Get(reg);
      // SP and PC are compared when a memo is used; other registers are not.
      if (reg != kRsp && reg != kRip) self.memoizable_ = false;
      return 0;
    }
    if (reg == kRbp) {
      if (self.recovered_rbp_ != 0) {
        *value = self.recovered_rbp_;
        return 0;
      }
      self.lacks_rbp_ = true;
    }
    return -UNW_EBADREG;
  }
};

Unwinder::Unwinder(const Memory& memory, stacks::Recording& recording)
    : pages_(memory), memory_(memory), recording_(recording), cfi_(pages_) {
  unw_accessors_t accessors = Callbacks::Accessors();
  unw_addr_space_t space =
      LibUnwind::Get().create_addr_space(&accessors, /*byte_order=*/0);
  LibUnwind::Get().set_caching_policy(space, UNW_CACHE_GLOBAL);
  address_space_ = space;
}

Unwinder::~Unwinder() {
  LibUnwind::Get().destroy_addr_space(
      static_cast<unw_addr_space_t>(address_space_));
}

void Unwinder::SetModules(std::string_view maps) {
  map_ = ModuleMap::Read(maps, memory_, recording_);
  cfi_.SetMap(&map_);
  pages_.Clear();
  // A row made for other code at the same address would lead anywhere.
  LibUnwind::Get().flush_cache(static_cast<unw_addr_space_t>(address_space_), 0,
                               0);
}

stacks::Frame Unwinder::FrameOf(uint64_t pc) {
  const CodeRange* code = map_.FindCode(pc);
  if (code == nullptr) met_unknown_code_ = true;
  if (code == nullptr || code->module == stacks::kNoModule) {
    return stacks::Frame::Code(stacks::kNoModule, pc);
  }
  return stacks::Frame::Code(code->module, pc - code->start);
}

bool Unwinder::ReadStack(uint64_t address, uint64_t& word) {
  if (!copy_->Read(address, word)) return false;
  if (walk_->words.size() < kMaxMemoWords) {
    walk_->words.push_back({address, word});
  } else {
    memoizable_ = false;
  }
  return true;
}

bool Unwinder::ReadImage(uint64_t address, uint64_t& word) {
  return map_.FindImage(address) != nullptr &&
         pages_.Read(address, &word, sizeof(word));
}

Unwinder::End Unwinder::WalkOnce(Walk& walk) {
  const LibUnwind& libunwind = LibUnwind::Get();
  walk.depth = 0;
  walk.missing = 0;
  lacks_rbp_ = false;
  met_unknown_code_ = false;
  unw_cursor_t cursor;
  if (libunwind.init_remote(
          &cursor, static_cast<unw_addr_space_t>(address_space_), this) < 0) {
    return End::kFailed;
  }
  // The innermost address, and one that a signal interrupted, is exact; the
  // others are return addresses, past the call that they stand for.
  bool exact = true;
  uint64_t previous_sp = 0;
  while (walk.depth < Walk::kMaxFrames) {
    unw_word_t pc, sp;
    if (libunwind.get_reg(&cursor, UNW_X86_64_RIP, &pc) < 0 ||
        libunwind.get_reg(&cursor, UNW_X86_64_RSP, &sp) < 0) {
      return End::kFailed;
    }
    const uint64_t at = exact ? pc : pc - 1;
    walk.root_sp = sp;
    const FrameDescription* description = cfi_.Find(at);
    if (pc == 0 || (walk.depth > 0 && sp < previous_sp && exact == false)) {
      return End::kFailed;
    }
    walk.frames[walk.depth++] = FrameOf(at);
    if (description == nullptr) return End::kNoInformation;
    if (description->is_root) return End::kRoot;
    exact = description->is_signal_frame;
    failed_sp_ = sp;
    failed_function_ = description->start;
    previous_sp = sp;
    // 0 would mean that libunwind sees no caller. Roots were told above; here
    // it is a walk gone wrong.
    if (libunwind.step(&cursor) <= 0) {
      return lacks_rbp_ ? End::kMissingFramePointer : End::kFailed;
    }
  }
  return End::kFailed;
}

void Unwinder::Unwind(const StackCopy& copy, Walk& walk) {
  copy_ = &copy;
  walk_ = &walk;
  walk.words.clear();
  recovered_rbp_ = 0;
  memoizable_ = true;
  End end = WalkOnce(walk);
  if (!cache_sized_) {
    // Before the first walk the size would be ignored without a word.
    LibUnwind::Get().set_cache_size(
        static_cast<unw_addr_space_t>(address_space_), kRowCacheSize, 0);
    cache_sized_ = true;
  }
  if (end == End::kMissingFramePointer && copy.at_call_boundary) {
    end = FramePointerSearch(*this).Run() ? End::kRoot : End::kFailed;
  }
  walk.complete = end == End::kRoot;
  if (!walk.complete) {
    walk.frames[walk.depth++] =
        stacks::Frame::Pseudo(stacks::PseudoFrame::kTruncated);
    memoizable_ = false;
  }
  if (!memoizable_) walk.words.clear();
  copy_ = nullptr;
  walk_ = nullptr;
}

}  // namespace wallprof::unwind
