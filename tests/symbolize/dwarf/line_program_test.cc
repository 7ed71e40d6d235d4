// What compilers do not write, or only rarely: the rest is in
// source_search_test.
#include "profiler/symbolize/dwarf/line_program.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wallprof::symbolize {
namespace {

using Rows = std::vector<LineRow>;

// As gcc writes it: 12 standard opcodes, special ones from 13 on.
LineProgramFormat Format() {
  static const std::string operands("\0\1\1\1\1\0\0\0\1\0\0\1", 12);
  return {1, -10, 242, operands};
}

std::string Begin(uint64_t address) {
  return std::string("\0\x09\x02", 3) +
         std::string(reinterpret_cast<const char*>(&address), sizeof address);
}
const std::string kCopy = "\x01";
const std::string kEnd("\0\x01\x01", 3);
std::string AdvanceAddress(char by) { return std::string("\x02") + by; }
std::string AdvanceLine(char by) { return std::string("\x03") + by; }

std::vector<int64_t> LinesAt(const std::string& program,
                             const std::vector<uint64_t>& addresses,
                             uint64_t lowest_code = 0) {
  std::vector<int64_t> lines;
  std::vector<LineSequence> sequences;
  for (const LineRow& row :
       FindRows(Format(), program, addresses, lowest_code, sequences)) {
    EXPECT_EQ(row.line == 0, row.file == LineRow::kNoFile);
    lines.push_back(row.line);
  }
  if (sequences.empty()) return lines;
  // By what was learnt, the same.
  const std::vector<LineRow> again =
      FindRows(Format(), program, addresses, lowest_code, sequences);
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(again[i].line, lines[i]);
  return lines;
}

TEST(LineProgramTest, ARowReachesUpToTheNext) {
  const std::string program = Begin(0x1000) + AdvanceLine(9) + kCopy +
                              AdvanceAddress(4) + AdvanceLine(1) + kCopy +
                              AdvanceAddress(4) + kEnd;
  EXPECT_EQ(LinesAt(program, {0xfff, 0x1000, 0x1003, 0x1004, 0x1007, 0x1008}),
            (std::vector<int64_t>{0, 10, 10, 11, 11, 0}));
}

TEST(LineProgramTest, OfRowsAtOneAddressTheLastCounts) {
  const std::string program =
      Begin(0x1000) + kCopy + AdvanceLine(4) + kCopy + AdvanceAddress(4) + kEnd;
  EXPECT_EQ(LinesAt(program, {0x1000}), (std::vector<int64_t>{5}));
}

TEST(LineProgramTest, OfSequencesTheFirstCounts) {
  const std::string program = Begin(0x1000) + kCopy + AdvanceAddress(4) + kEnd +
                              Begin(0x1000) + AdvanceLine(8) + kCopy +
                              AdvanceAddress(8) + kEnd;
  EXPECT_EQ(LinesAt(program, {0x1000, 0x1006}), (std::vector<int64_t>{1, 9}));
}

TEST(LineProgramTest, WhatTheLinkerLeftOutDoesNotCount) {
  const std::string program = Begin(0) + kCopy + AdvanceAddress(127) +
                              AdvanceAddress(127) + kEnd + Begin(0x40) +
                              AdvanceLine(8) + kCopy + AdvanceAddress(8) + kEnd;
  EXPECT_EQ(LinesAt(program, {0x41}, 0x40), (std::vector<int64_t>{9}));
}

std::string Discriminator(char number) {
  return std::string("\0\x02\x04", 3) + number;
}

TEST(LineProgramTest, ADiscriminatorIsOfOneRow) {
  const std::string special = "\x17";  // no further, the same line
  const std::string program =
      Begin(0x1000) + Discriminator(3) + kCopy + AdvanceAddress(4) + kCopy +
      AdvanceAddress(4) + Discriminator(7) + special + AdvanceAddress(4) +
      special + AdvanceAddress(4) + Discriminator(9) + kEnd + Begin(0x2000) +
      kCopy + AdvanceAddress(4) + kEnd;
  std::vector<LineSequence> sequences;
  std::vector<uint32_t> discriminators;
  for (const LineRow& row :
       FindRows(Format(), program, {0x1000, 0x1004, 0x1008, 0x100c, 0x2000}, 0,
                sequences)) {
    EXPECT_EQ(row.line, 1);
    discriminators.push_back(row.discriminator);
  }
  EXPECT_EQ(discriminators, (std::vector<uint32_t>{3, 0, 7, 0, 0}));
}

TEST(LineProgramTest, RowsBeginInRanges) {
  const std::string program = Begin(0) + kCopy + AdvanceAddress(0x60) + kCopy +
                              kEnd + Begin(0x1000) + kCopy + AdvanceAddress(4) +
                              kCopy + kCopy + AdvanceAddress(4) + kCopy +
                              AdvanceAddress(4) + kEnd;
  const std::vector<AddressRange> all = {{0, 0x2000}};
  EXPECT_EQ(FindRowStarts(Format(), program, all, 0x40),
            (std::vector<uint64_t>{0x1000, 0x1004, 0x1008}));
  EXPECT_EQ(FindRowStarts(Format(), program, all, 0),
            (std::vector<uint64_t>{0, 0x60, 0x1000, 0x1004, 0x1008}));
  EXPECT_EQ(FindRowStarts(
                Format(), program,
                {{0x1001, 0x1004}, {0x1004, 0x1005}, {0x1008, 0x1009}}, 0x40),
            (std::vector<uint64_t>{0x1004, 0x1008}));
  EXPECT_EQ(FindRowStarts(Format(), program, {}, 0), std::vector<uint64_t>());
}

TEST(LineProgramTest, AProgramThatBreaksOffHasRowsUpToThere) {
  const std::string program = Begin(0x1000) + kCopy + AdvanceAddress(4) +
                              AdvanceLine(1) + kCopy + AdvanceAddress(4);
  EXPECT_EQ(LinesAt(program, {0x1001, 0x1005}), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(LinesAt("", {0x1001}), (std::vector<int64_t>{0}));
}

}  // namespace
}  // namespace wallprof::symbolize
