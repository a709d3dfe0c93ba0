import Glibc
import Testing

@testable import Configuration
@testable import Settings

@Suite("IdentityTable") struct IdentityTableTests {
  private static let hundred = IdentityRange(parsing: "70000-70099")!

  private func table(
    _ names: [String], in range: IdentityRange = hundred, remembered: [String: UInt32] = [:],
    on survey: IdentitySurvey = .empty
  ) -> IdentityTable {
    IdentityTable(names, in: range, remembered: IdentityList(numbers: remembered), on: survey)
  }

  /// Names whose search begins at the same number.
  private func collidingNames(_ count: Int) -> [String] {
    let start = IdentityTable.start(of: "a", in: Self.hundred.numbers)
    let names = (0...).lazy.map { "a\($0)" }.filter { IdentityTable.start(of: $0, in: Self.hundred.numbers) == start }
    return ["a"] + names.prefix(count - 1)
  }

  @Test("begins at FNV-1a of the name") func hash() {
    // Test vectors of the function's authors.
    let all: ClosedRange<UInt32> = 0...UInt32.max
    for (name, hash) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] as [(String, UInt32)] {
      #expect(IdentityTable.start(of: name, in: all) == hash)
      #expect(IdentityTable.start(of: name, in: 70_000...70_099) == 70_000 + hash % 100)
    }
  }

  @Test("settles collisions in the order of names, whatever the order of the services") func collisions() throws {
    let names = collidingNames(3)
    let start = IdentityTable.start(of: "a", in: Self.hundred.numbers)
    let numbers = table(names).numbers
    let expected = names.sorted().enumerated().map { ($1, 70_000 + (start - 70_000 + UInt32($0)) % 100) }
    #expect(numbers == Dictionary(uniqueKeysWithValues: expected))
    #expect(table(names.reversed()).numbers == numbers)
  }

  @Test("lets a name keep its number, whatever names come and go") func remembered() {
    let names = collidingNames(3).sorted()
    var numbers = table([names[2]]).numbers
    let first = numbers
    // A name that comes first in the order does not take it.
    numbers.merge(table(names, remembered: numbers).numbers) { $1 }
    #expect(numbers[names[2]] == first[names[2]] && Set(numbers.values).count == 3)
    // A name that is gone keeps its number from others.
    let later = table([names[2], "new"], remembered: numbers).numbers
    #expect(later[names[2]] == first[names[2]])
    #expect(!numbers.values.contains(later["new"]!))
    #expect(table(names, remembered: numbers).numbers == numbers)
  }

  @Test("goes on from the end of the range at its beginning, and gives every number once") func wholeRange() {
    let names = (0..<100).map { "s\($0)" }
    let full = table(names)
    #expect(Set(full.numbers.values) == Set(70_000...70_099) && full.unserved.isEmpty)
    let more = table(names + ["zz", "zy"], remembered: full.numbers)
    #expect(more.numbers == full.numbers && more.unserved == ["zy", "zz"])
  }

  @Test("passes over numbers of other users and groups, of running processes, and those that do not exist here")
  func taken() {
    let start = IdentityTable.start(of: "a", in: Self.hundred.numbers)
    func number(_ survey: IdentitySurvey, remembered: [String: UInt32] = [:]) -> UInt32? {
      table(["a"], remembered: remembered, on: survey).numbers["a"]
    }
    let known = IdentitySurvey(entries: { $0 == start ? ["alice"] : [] })
    #expect(number(known) == start + 1)
    #expect(number(known, remembered: ["a": start]) == start + 1, "a user that was made later")
    let running = IdentitySurvey(running: { [start, start + 1] })
    #expect(number(running) == start + 2)
    #expect(number(running, remembered: ["a": start]) == start, "processes of its own may still drain")
    let unmapped = IdentitySurvey(mapped: [0...65_535, 70_000...70_004])
    #expect(number(unmapped).map { (70_000...70_004).contains($0) } == true)
    #expect(number(unmapped, remembered: ["a": 70_005]).map { $0 < 70_005 } == true)
    #expect(number(IdentitySurvey(mapped: [0...65_535])) == nil)
  }

  @Test("takes entries that begatd has made itself for the name's own") func ownRecords() {
    let start = IdentityTable.start(of: "a", in: Self.hundred.numbers)
    let survey = IdentitySurvey(entries: { $0 == start ? ["begat-a", "begat-a"] : [] })
    #expect(table(["a"], on: survey).numbers["a"] == start)
    let half = IdentitySurvey(entries: { $0 == start ? ["begat-a", "alice"] : [] })
    #expect(table(["a"], on: half).numbers["a"] == start + 1, "the group is another's")
    let other = collidingNames(2)[1]
    #expect(table([other], on: survey).numbers[other] == start + 1)
  }

  @Test("gives a number of a changed range") func changedRange() {
    let old = table(["a", "b"]).numbers
    let range = IdentityRange(parsing: "80000-80009")!
    let new = table(["a", "b"], in: range, remembered: old).numbers
    #expect(new.count == 2 && new.values.allSatisfy(range.numbers.contains))
    // Files may belong to the numbers before: no other name gets them, also when the range is the old one again.
    var list = IdentityList(numbers: old)
    for (name, number) in new { list.give(number, to: name) }
    let others = (0..<100).map { "s\($0)" }
    let later = IdentityTable(others, in: Self.hundred, remembered: list, on: .empty)
    #expect(Set(later.numbers.values) == Set(70_000...70_099).subtracting(old.values) && later.unserved.count == 2)
    for (name, number) in later.numbers { list.give(number, to: name) }
    #expect(IdentityTable(["a", "b"], in: Self.hundred, remembered: list, on: .empty).numbers == old)
  }

  @Test("makes names of users that are valid and differ") func accountNames() {
    #expect(accountName(of: "hello", number: 70_001) == "begat-hello")
    let fitting = "abcdefghijklmnopqrstuvwxy"
    #expect(accountName(of: fitting, number: 70_001) == "begat-" + fitting)
    let long = fitting + "z"
    #expect(accountName(of: long, number: 70_001) == "begat-70001-abcdefghijklmnopqrs")
    #expect(accountName(of: long + "1", number: 70_002) != accountName(of: long + "2", number: 70_003))
    for name in [fitting, long] { #expect(accountName(of: name, number: .max - 1).utf8.count <= 31) }
  }
}

@Suite("IdentitySurvey") struct IdentitySurveyTests {
  @Test("reads the numbers of a process's status") func status() {
    let text = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t5\t5\t5\nFDSize:\t64\nGroups:\t7 8 \nNStgid:\t9\n"
    #expect(IdentitySurvey.identities(inStatus: text) == [1, 2, 3, 4, 5, 7, 8])
    #expect(IdentitySurvey.identities(inStatus: "") == [])
  }

  @Test(
    "reads the numbers of a user namespace",
    arguments: [
      ("         0          0 4294967295\n", [0...4_294_967_294]), ("0 1000 1\n1 100000 65536\n", [0...0, 1...65_536]),
      ("5 5 0\n", []), ("", []), ("x y z\n0 0\n", []), ("4294967294 0 9\n", [4_294_967_294...UInt32.max]),
    ] as [(String, [ClosedRange<UInt32>])])
  func maps(_ text: String, _ ranges: [ClosedRange<UInt32>]) { #expect(IdentityMap.ranges(in: text) == ranges) }

  @Test("takes every number for mapped where there is no map, as on kernels without user namespaces") func noMap()
    throws
  {
    let directory = try TemporaryDirectory()
    #expect(IdentityMap.ranges(inFile: directory["uid_map"]) == [0...UInt32.max])
    try directory.write("0 1000 1\n", to: "uid_map")
    #expect(IdentityMap.ranges(inFile: directory["uid_map"]) == [0...0])
    try directory.write("", to: "gid_map")
    #expect(IdentityMap.ranges(inFile: directory["gid_map"]) == [])
  }

  @Test("takes what is a user and a group") func common() {
    #expect(IdentityMap.common([0...9, 20...29], [5...24]) == [5...9, 20...24])
    #expect(IdentityMap.common([0...9], [10...19]) == [])
  }

  @Test("sees this machine") func machine() {
    let survey = IdentitySurvey.current
    #expect(survey.entries(0) == ["root", "root"], "the user and the group")
    #expect(survey.running().contains(geteuid()))
    #expect(survey.mapped.contains { $0.contains(geteuid()) })
  }
}
