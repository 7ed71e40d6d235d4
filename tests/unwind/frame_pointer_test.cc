#include "profiler/unwind/frame_pointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace wallprof::unwind {
namespace {

using ::testing::Eq;
using ::testing::Optional;

using Code = std::vector<uint8_t>;

// `parts` one after the other, and a call as what follows a prologue.
Code Prologue(std::initializer_list<Code> parts) {
  Code code;
  for (const Code& part : parts)
    code.insert(code.end(), part.begin(), part.end());
  for (const uint8_t byte : {0xe8, 0, 0, 0, 0}) code.push_back(byte);
  return code;
}

const Code kPushRbp = {0x55};
const Code kMovRspRbp = {0x48, 0x89, 0xe5};
const Code kPushRbx = {0x53};
const Code kPushR12 = {0x41, 0x54};
const Code kSub16 = {0x48, 0x83, 0xec, 0x10};
const Code kSub1024 = {0x48, 0x81, 0xec, 0x00, 0x04, 0x00, 0x00};

TEST(FrameSizeByPrologueTest, WithoutLocalsIsNothing) {
  EXPECT_THAT(FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp})),
              Optional(Eq(0u)));
}

TEST(FrameSizeByPrologueTest, PushesAndSubtractionAddUp) {
  EXPECT_THAT(FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp, kSub16})),
              Optional(Eq(16u)));
  EXPECT_THAT(FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp, kSub1024})),
              Optional(Eq(1024u)));
  EXPECT_THAT(FrameSizeByPrologue(
                  Prologue({kPushRbp, kMovRspRbp, kPushR12, kPushRbx, kSub16})),
              Optional(Eq(32u)));
  EXPECT_THAT(
      FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp, kPushR12, kPushRbx})),
      Optional(Eq(16u)));
}

TEST(FrameSizeByPrologueTest, StartsAfterEndbr64) {
  EXPECT_THAT(FrameSizeByPrologue(Prologue(
                  {{0xf3, 0x0f, 0x1e, 0xfa}, kPushRbp, kMovRspRbp, kSub16})),
              Optional(Eq(16u)));
}

TEST(FrameSizeByPrologueTest, EitherEncodingOfTheMoveIsKnown) {
  EXPECT_THAT(
      FrameSizeByPrologue(Prologue({kPushRbp, {0x48, 0x8b, 0xec}, kSub16})),
      Optional(Eq(16u)));
}

TEST(FrameSizeByPrologueTest, OneHundredTwentyEightIsAddedAsItsNegative) {
  EXPECT_THAT(FrameSizeByPrologue(
                  Prologue({kPushRbp, kMovRspRbp, {0x48, 0x83, 0xc4, 0x80}})),
              Optional(Eq(128u)));
}

TEST(FrameSizeByPrologueTest, OtherInstructionsMayStandInBetween) {
  const Code plain[] = {
      {0x4c, 0x8d, 0x66, 0x58},                    // lea 0x58(%rsi),%r12
      {0x48, 0x8d, 0x05, 1, 2, 3, 4},              // lea 0x4030201(%rip),%rax
      {0x89, 0xfb},                                // mov %edi,%ebx
      {0x48, 0x89, 0x5d, 0xe8},                    // mov %rbx,-0x18(%rbp)
      {0x31, 0xc0},                                // xor %eax,%eax
      {0xbf, 1, 0, 0, 0},                          // mov $1,%edi
      {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8},        // movabs $...,%rax
      {0xc7, 0x45, 0xfc, 0, 0, 0, 0},              // movl $0,-4(%rbp)
      {0xc6, 0x45, 0xff, 1},                       // movb $1,-1(%rbp)
      {0x48, 0xc7, 0xc0, 1, 0, 0, 0},              // mov $1,%rax
      {0x48, 0x63, 0xff},                          // movslq %edi,%rdi
      {0x48, 0x83, 0xe0, 0xf0},                    // and $-16,%rax
      {0x48, 0xc1, 0xe0, 0x04},                    // shl $4,%rax
      {0x66, 0x0f, 0x6f, 0x05, 1, 2, 3, 4},        // movdqa 0x...(%rip),%xmm0
      {0x0f, 0x29, 0x85, 0x70, 0xfe, 0xff, 0xff},  // movaps %xmm0,-0x190(%rbp)
      {0x66, 0x0f, 0xef, 0xc0},                    // pxor %xmm0,%xmm0
      {0x0f, 0xb6, 0xc0},                          // movzbl %al,%eax
      {0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0},  // mov %fs:0x28,%rax
      {0x49, 0x89, 0xe4},                             // mov %rsp,%r12
      {0x48, 0x8b, 0x44, 0x24, 0x08},                 // mov 8(%rsp),%rax
      {0x49, 0x83, 0xc4, 0x01},                       // add $1,%r12
  };
  for (const Code& code : plain) {
    EXPECT_THAT(FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp, kPushR12,
                                              code, kPushRbx, code, kSub16})),
                Optional(Eq(32u)))
        << ::testing::PrintToString(code);
  }
}

TEST(FrameSizeByPrologueTest, WhatFollowsABranchIsNotThePrologue) {
  const Code branches[] = {
      {0x74, 0x10},                 // je
      {0x0f, 0x84, 0x10, 0, 0, 0},  // je
      {0xeb, 0x10},                 // jmp
      {0xe8, 0, 0, 0, 0},           // call
      {0xc3},                       // ret
      {0x0f, 0x05},                 // syscall
  };
  for (const Code& code : branches) {
    EXPECT_THAT(FrameSizeByPrologue(
                    Prologue({kPushRbp, kMovRspRbp, kPushRbx, code, kSub16})),
                Optional(Eq(8u)))
        << ::testing::PrintToString(code);
  }
}

TEST(FrameSizeByPrologueTest, FramesWhoseSizeIsNotInTheCodeAreUnknown) {
  const Code moves[] = {
      {0x48, 0x29, 0xc4},                       // sub %rax,%rsp
      {0x48, 0x83, 0xe4, 0xe0},                 // and $-32,%rsp
      {0x48, 0x81, 0xe4, 0, 0xf0, 0xff, 0xff},  // and $-4096,%rsp
      {0x48, 0x8d, 0x64, 0x24, 0xf8},           // lea -8(%rsp),%rsp
      {0x48, 0x89, 0xc4},                       // mov %rax,%rsp
      {0x48, 0x8b, 0xe0},                       // mov %rax,%rsp
  };
  for (const Code& code : moves) {
    EXPECT_EQ(
        FrameSizeByPrologue(Prologue({kPushRbp, kMovRspRbp, kPushRbx, code})),
        std::nullopt)
        << ::testing::PrintToString(code);
  }
}

TEST(FrameSizeByPrologueTest, OtherBeginningsAreUnknown) {
  for (const Code& code :
       {Code{}, Code{0x55}, Code{0xf3, 0x0f, 0x1e, 0xfa}, Code{0x53, 0x48},
        Code{0x55, 0x53, 0x48, 0x89, 0xe5}, Code{0x48, 0x89, 0xe5, 0x55}}) {
    EXPECT_EQ(FrameSizeByPrologue(code), std::nullopt);
  }
}

TEST(FrameSizeByPrologueTest, CodeThatIsCutOffIsNotReadPast) {
  const Code whole = Prologue({{0xf3, 0x0f, 0x1e, 0xfa},
                               kPushRbp,
                               kMovRspRbp,
                               {0x0f, 0x29, 0x84, 0x24, 1, 2, 3, 4},
                               kPushR12,
                               {0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0},
                               {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8},
                               kSub1024});
  for (size_t size = 0; size <= whole.size(); ++size) {
    // On the heap and exactly as long, so that a sanitizer sees an overrun.
    FrameSizeByPrologue(Code(whole.begin(), whole.begin() + size));
  }
  std::minstd_rand random(1);
  for (int i = 0; i < 100'000; ++i) {
    Code code = {0x55, 0x48, 0x89, 0xe5};
    code.resize(code.size() + random() % 40);
    for (size_t at = 4; at < code.size(); ++at) code[at] = random() >> 8;
    code.shrink_to_fit();
    FrameSizeByPrologue(code);
  }
}

// --- calls -------------------------------------------------------------------

CallSite CallEndingWith(Code call) {
  // What stands before must not matter.
  while (call.size() < kMaxCallBytes) call.insert(call.begin(), 0x90);
  return DecodeCall(call, 0x401000);
}

TEST(DecodeCallTest, DirectCallHasItsTarget) {
  CallSite call = CallEndingWith({0xe8, 0x00, 0x01, 0x00, 0x00});
  EXPECT_EQ(call.kind, CallKind::kDirect);
  EXPECT_EQ(call.target, 0x401100u);
  call = CallEndingWith({0xe8, 0x00, 0xff, 0xff, 0xff});
  EXPECT_EQ(call.kind, CallKind::kDirect);
  EXPECT_EQ(call.target, 0x400f00u) << "backwards";
}

TEST(DecodeCallTest, IndirectCallsOfEveryForm) {
  const Code calls[] = {
      {0xff, 0xd0},                                // *%rax
      {0x41, 0xff, 0xd7},                          // *%r15
      {0xff, 0x10},                                // *(%rax)
      {0x41, 0xff, 0x14, 0x24},                    // *(%r12)
      {0xff, 0x14, 0xc8},                          // *(%rax,%rcx,8)
      {0xff, 0x50, 0x08},                          // *8(%rax)
      {0xff, 0x54, 0x24, 0x08},                    // *8(%rsp)
      {0x41, 0xff, 0x54, 0xc5, 0x10},              // *0x10(%r13,%rax,8)
      {0xff, 0x15, 0x01, 0x02, 0x03, 0x00},        // *0x30201(%rip)
      {0xff, 0x90, 0x00, 0x01, 0x00, 0x00},        // *0x100(%rax)
      {0xff, 0x94, 0x24, 0x00, 0x01, 0x00, 0x00},  // *0x100(%rsp)
      {0xff, 0x14, 0xc5, 0x00, 0x10, 0x40, 0x00},  // *0x401000(,%rax,8)
      {0x42, 0xff, 0x14, 0xe5, 0, 0x10, 0x40, 0},  // *0x401000(,%r12,8)
      {0xff, 0x14, 0x25, 0x00, 0x10, 0x40, 0x00},  // *0x401000
  };
  for (const Code& call : calls) {
    EXPECT_EQ(CallEndingWith(call).kind, CallKind::kIndirect)
        << ::testing::PrintToString(call);
  }
}

TEST(DecodeCallTest, OtherInstructionsAreNoCalls) {
  const Code others[] = {
      {0x90},                                // nop
      {0xc3},                                // ret
      {0xff, 0xe0},                          // jmp *%rax
      {0xff, 0x25, 0x01, 0x02, 0x03, 0x00},  // jmp *0x30201(%rip)
      {0xff, 0xc0},                          // inc %eax
      {0xff, 0x30},                          // push (%rax)
      {0xe9, 0x00, 0x01, 0x00, 0x00},        // jmp
      {0x0f, 0x05},                          // syscall
      {0xff, 0x10, 0x90},                    // one byte after a call
      {0xff, 0x15, 0x01, 0x02},              // cut off by the address
  };
  for (const Code& other : others) {
    EXPECT_EQ(CallEndingWith(other).kind, CallKind::kNone)
        << ::testing::PrintToString(other);
  }
}

// --- stubs -------------------------------------------------------------------

TEST(PltSlotTest, JumpThroughASlot) {
  const Code jump = {0xff, 0x25, 0x0a, 0x00, 0x00, 0x00};
  EXPECT_THAT(PltSlot(jump, 0x1000), Optional(Eq(0x1010u)));
}

TEST(PltSlotTest, AfterEndbr64AndBnd) {
  const Code endbr = {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0x06, 0, 0, 0};
  EXPECT_THAT(PltSlot(endbr, 0x1000), Optional(Eq(0x1010u)));
  const Code bnd = {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x05, 0, 0, 0};
  EXPECT_THAT(PltSlot(bnd, 0x1000), Optional(Eq(0x1010u)));
}

TEST(PltSlotTest, SlotMayLieBefore) {
  const Code jump = {0xff, 0x25, 0xfa, 0xff, 0xff, 0xff};
  EXPECT_THAT(PltSlot(jump, 0x1000), Optional(Eq(0x1000u)));
}

TEST(PltSlotTest, OtherCodeIsNoStub) {
  for (const Code& code :
       {Code{}, Code{0xff}, Code{0xff, 0x25, 1, 2, 3},
        Code{0xe9, 0, 0, 0, 0, 0}, Code{0xff, 0x15, 0, 0, 0, 0},
        Code{0xf3, 0x0f, 0x1e, 0xfa, 0xc3, 0, 0, 0, 0, 0}}) {
    EXPECT_EQ(PltSlot(code, 0x1000), std::nullopt);
  }
}

}  // namespace
}  // namespace wallprof::unwind
