import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import Settings

@Suite("IdentityKeeper") struct IdentityKeeperTests {
  private static let range = IdentityRange(parsing: "70000-79999")!

  private func keeper(_ directory: TemporaryDirectory, _ name: String = "state", isWriting: Bool = true)
    -> IdentityKeeper
  {
    IdentityKeeper(directory: directory[name], isWriting: isWriting, on: .empty)
  }

  /// Numbers and complaints.
  private func assign(_ keeper: IdentityKeeper, _ names: String...) -> (numbers: [String: UInt32], complaints: [String])
  {
    let assignment = keeper.assign(names, in: Self.range)
    let complaints = assignment.keep()
    return (assignment.numbers, complaints)
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try Descriptor.open(UnixPath(path), .readOnly).readPrefix(1 << 16), as: UTF8.self)
  }

  private func mode(_ path: String) -> mode_t {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
  }

  @Test("remembers in a file that everyone may read") func file() throws {
    let directory = try TemporaryDirectory()
    let old = umask(0o077)
    defer { umask(old) }
    let first = assign(keeper(directory), "b", "a")
    #expect(first.complaints == [])
    #expect(mode(directory["state"]) == 0o755 && mode(directory["state/identities"]) == 0o644)
    let lines = try text(directory["state/identities"]).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(lines == ["a \(first.numbers["a"]!)", "b \(first.numbers["b"]!)"])
    #expect(try text(directory["state/identities"]).hasPrefix("# "))
  }

  @Test("gives a name what the file says, over its own choice") func memory() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("state")
    try directory.write("a 70007\ngone 70008\n", to: "state/identities")
    let (numbers, _) = assign(keeper(directory), "a", "c")
    #expect(numbers["a"] == 70_007 && numbers["c"] != 70_008)
    #expect(try text(directory["state/identities"]).contains("\ngone 70008\n"))
    #expect(assign(keeper(directory), "gone").numbers == ["gone": 70_008])
  }

  @Test("changes nothing unless the numbers are kept") func dropped() throws {
    let directory = try TemporaryDirectory()
    let keeper = keeper(directory)
    _ = keeper.assign(["a"], in: Self.range)
    #expect(mode(directory["state/identities"]) == 0)
    let reading = self.keeper(directory, "other", isWriting: false)
    #expect(assign(reading, "a").complaints == [])
    #expect(mode(directory["other"]) == 0)
  }

  @Test("keeps the former numbers of a name from others, and gives them back to it") func former() throws {
    let directory = try TemporaryDirectory()
    let (one, two) = (IdentityRange(parsing: "70000-70000")!, IdentityRange(parsing: "80000-80000")!)
    func numbers(_ keeper: IdentityKeeper, _ name: String, _ range: IdentityRange) -> UInt32? {
      let assignment = keeper.assign([name], in: range)
      #expect(assignment.keep() == [])
      return assignment.numbers[name]
    }
    // Once with one begatd that remembers, once with one that reads the file.
    for keepers in [Array(repeating: keeper(directory, "a"), count: 5), (0..<5).map { _ in keeper(directory, "b") }] {
      #expect(numbers(keepers[0], "a", one) == 70_000)
      #expect(numbers(keepers[1], "a", two) == 80_000)
      #expect(numbers(keepers[2], "b", one) == nil, "files may belong to it")
      #expect(numbers(keepers[3], "a", one) == 70_000)
      #expect(numbers(keepers[4], "b", two) == nil)
    }
    for name in ["a", "b"] {
      let lines = try text(directory["\(name)/identities"]).split(separator: "\n").filter { !$0.hasPrefix("#") }
      #expect(lines == ["a 80000 former", "a 70000"])
    }
    // Also without a file.
    let memory = IdentityKeeper.inMemory()
    #expect(numbers(memory, "a", one) == 70_000 && numbers(memory, "a", two) == 80_000)
    #expect(numbers(memory, "b", one) == nil)
  }

  @Test("drops the numbers of a reload that was given up, and ends after a later one") func lateReload() throws {
    let range = IdentityRange(parsing: "70000-70001")!
    let keeper = IdentityKeeper.inMemory()
    let late = keeper.assign(["x", "y"], in: range)
    let later = keeper.assign(["a", "b"], in: range)
    _ = later.keep()
    _ = late.keep()
    #expect(keeper.assign(["a", "b", "x"], in: range).numbers == later.numbers)
    // Nor does it change the file, where the later one has found it locked.
    let directory = try TemporaryDirectory()
    let writing = self.keeper(directory)
    let lateWriting = writing.assign(["x", "y"], in: range)
    let laterWriting = writing.assign(["a", "b"], in: range)
    _ = laterWriting.keep()
    _ = lateWriting.keep()
    #expect(mode(directory["state/identities"]) == 0)
    let next = writing.assign(["a", "b"], in: range)
    #expect(next.keep() == [] && next.numbers == laterWriting.numbers)
    let lines = try text(directory["state/identities"]).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(lines == ["a", "b"].map { "\($0) \(next.numbers[$0]!)" })
  }

  @Test("tells of damaged lines and keeps the others") func damage() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("state")
    let lines = [
      "# comment", "a 70007", "b", "c 70007", "a 70009", "d 0", "e 65534", "f -1", "g  70010", "h 70011 ", "../i 7",
      "j 4294967295", "k 99999999999", "\u{ff} 7", "", "l 70012", "a 70013 former", "a 70014 former", "m 70014",
      "n 70012 former", "o 70015 late", "p former",
    ]
    try directory.write(lines.joined(separator: "\n"), to: "state/identities")
    let list = IdentityList(parsing: Array(lines.joined(separator: "\n").utf8))
    #expect(list.numbers == ["a": 70_007, "l": 70_012])
    #expect(list.former == ["a": [70_013, 70_014]])
    #expect(list.damagedLines == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 19, 20, 21, 22])
    let (numbers, complaints) = assign(keeper(directory), "a", "l")
    #expect(numbers == ["a": 70_007, "l": 70_012])
    #expect(complaints == ["line 3: expected NAME NUMBER, each used once; this line is dropped, and 15 more"])
    #expect(assign(keeper(directory), "a").complaints == [], "the file is whole again")
  }

  @Test(
    "refuses a file that others may have made",
    arguments: [
      ("symbolic link", "is a symbolic link; remove it"), ("directory", "not a regular file; remove it"),
      ("fifo", "not a regular file; remove it"), ("writable", "is writable by group or others; run chmod go-w"),
      ("huge", "has 8388609 bytes, more than 8388608; remove it"),
      ("foreign", "belongs to user 1, not to user 0; remove it or change its owner"),
    ].filter { $0.0 != "foreign" || geteuid() == 0 })
  func hostile(kind: String, message: String) throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("state")
    try directory.write("a 70007\n", to: "target")
    let path = directory["state/identities"]
    switch kind {
    case "symbolic link": try #require(symlink(directory["target"], path) == 0)
    case "directory": try directory.makeDirectory("state/identities")
    case "fifo": try #require(mkfifo(path, 0o600) == 0)
    case "writable": try directory.write("a 70007\n", to: "state/identities", mode: 0o664)
    default:
      try directory.write("a 70007\n", to: "state/identities")
      if kind == "huge" {
        try #require(truncate(path, (8 << 20) + 1) == 0)
      } else {
        try #require(chown(path, 1, 1) == 0)
      }
    }
    let before = mode(path)
    let keeper = keeper(directory)
    let (numbers, complaints) = assign(keeper, "a")
    #expect(
      complaints == ["\(message); the file is ignored, and services get their numbers as if it were empty"])
    #expect(numbers["a"] == IdentityTable.start(of: "a", in: Self.range.numbers))
    #expect(mode(path) == before)
    #expect(try text(directory["target"]) == "a 70007\n")
    // Said once, and the numbers stay as long as begatd runs.
    #expect(assign(keeper, "a", "b").complaints == [])
  }

  @Test("goes on without a file, says so once, and keeps its numbers while it runs") func notWritable() throws {
    let directory = try TemporaryDirectory()
    // Not a directory, so that root cannot write there either.
    try directory.write("", to: "state")
    let keeper = keeper(directory)
    let first = assign(keeper, "a")
    #expect(first.numbers.count == 1 && first.complaints.count == 1, "\(first.complaints)")
    #expect(first.complaints[0].hasSuffix("(StateDirectory=begat in its unit)"))
    let second = assign(keeper, "a", "b")
    #expect(second.numbers["a"] == first.numbers["a"] && second.complaints == [])
  }

  @Test("refuses a directory that others control") func directoryOfOthers() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("state", mode: 0o777)
    let (numbers, complaints) = assign(keeper(directory), "a")
    #expect(numbers.count == 1)
    #expect(complaints.count == 1 && complaints[0].contains("anybody may replace files in directory"), "\(complaints)")
    #expect(mode(directory["state/identities"]) == 0)
  }

  @Test("gives two begatds with one file different numbers for different names") func twoDaemons() throws {
    let directory = try TemporaryDirectory()
    let range = IdentityRange(parsing: "70000-70001")!
    let first = keeper(directory)
    let second = keeper(directory)
    let one = first.assign(["a"], in: range)
    _ = one.keep()
    let other = second.assign(["b"], in: range)
    _ = other.keep()
    #expect(Set(one.numbers.values).union(other.numbers.values) == [70_000, 70_001])
    #expect(first.assign(["a", "b"], in: range).numbers == one.numbers.merging(other.numbers) { $1 })
  }

  @Test("waits for a begatd that has the file, and not forever") func lock() throws {
    let directory = try TemporaryDirectory()
    let held = keeper(directory).assign(["a"], in: Self.range)
    let late = assign(keeper(directory), "b")
    #expect(late.complaints.count == 1 && late.complaints[0].hasPrefix("another begatd has locked it"))
    _ = held.keep()
    #expect(assign(keeper(directory), "c").complaints == [])
  }

  @Test("knows all numbers only where it could read all of the file") func incomplete() throws {
    let directory = try TemporaryDirectory()
    let other = keeper(directory)
    _ = assign(other, "a")
    let keeper = keeper(directory)
    #expect(keeper.known == nil)
    _ = assign(keeper, "b")
    #expect(keeper.known?.numbers(of: "a").count == 1 && keeper.known?.numbers(of: "b").count == 1)
    let path = directory["state/identities"]
    #expect(chmod(path, 0o666) == 0)
    #expect(assign(keeper, "b").complaints.count == 1)
    #expect(keeper.known == nil)
    #expect(chmod(path, 0o644) == 0)
    _ = assign(keeper, "b")
    #expect(keeper.known != nil)
    try directory.write(text(path) + "damaged\n", to: "state/identities")
    _ = assign(keeper, "b")
    #expect(keeper.known == nil)
    let held = other.assign(["a"], in: Self.range)
    _ = assign(keeper, "b")
    #expect(keeper.known == nil)
    _ = held.keep()
    _ = assign(keeper, "b")
    #expect(keeper.known != nil)
  }

  @Test(
    "takes the first of systemd's directories",
    arguments: [
      (nil, "/var/lib/begat"), ("", "/var/lib/begat"), ("x", "/var/lib/begat"), ("/a", "/a"), ("/a:/b", "/a"),
    ] as [(String?, String)])
  func stateDirectory(given: String?, path: String) { #expect(IdentityStore.directory(given: given) == path) }
}

@Suite("UserRecords") struct UserRecordsTests {
  private func text(_ path: String) throws -> String {
    String(decoding: try Descriptor.open(UnixPath(path), .readOnly).readPrefix(1 << 16), as: UTF8.self)
  }

  @Test("makes a record for each user and group, found by name and by number") func records() throws {
    let directory = try TemporaryDirectory()
    let records = UserRecords(directory: directory["userdb"])
    records.publish(["hello": 70_001])
    let user = """
      {"userName":"begat-hello","uid":70001,"gid":70001,"realName":"begat service hello","disposition":"dynamic",\
      "locked":true,"homeDirectory":"/","shell":"/usr/sbin/nologin"}

      """
    for name in ["begat-hello.user", "70001.user"] { #expect(try text(directory["userdb/\(name)"]) == user) }
    let group = """
      {"groupName":"begat-hello","gid":70001,"description":"begat service hello","disposition":"dynamic"}

      """
    for name in ["begat-hello.group", "70001.group"] { #expect(try text(directory["userdb/\(name)"]) == group) }
    var facts = stat()
    #expect(stat(directory["userdb/begat-hello.user"], &facts) == 0 && facts.st_mode & 0o777 == 0o644)
  }

  @Test("moves a user to its new number, and leaves other records alone") func moved() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("userdb")
    try directory.write("{}\n", to: "userdb/alice.user")
    try #require(symlink("alice.user", directory["userdb/70009.user"]) == 0)
    let records = UserRecords(directory: directory["userdb"])
    records.publish(["a": 70_001, "b": 70_002])
    records.publish(["a": 70_003])
    let names = try DirectoryListing.names(in: directory["userdb"]).filter { $0.first!.isNumber }.sorted()
    #expect(names == ["70002.group", "70002.user", "70003.group", "70003.user", "70009.user"])
    #expect(try text(directory["userdb/70003.user"]).contains("\"uid\":70003"))
  }

  @Test("does not take the name of a user that the machine has") func existingName() throws {
    // No service can be called so: it stands for a user begat-NAME of an administrator's.
    let directory = try TemporaryDirectory()
    let records = UserRecords(directory: directory["userdb"]) { $0 == "begat-hello" ? 105 : nil }
    records.publish(["hello": 70_001, "time": 70_002])
    let names = try DirectoryListing.names(in: directory["userdb"]).sorted()
    #expect(names == ["70002.group", "70002.user", "begat-time.group", "begat-time.user"])
  }

  @Test(
    "leaves records that the administrator has made, by name or by number",
    arguments: ["begat-hello.user", "begat-hello.group", "70001.user", "70001.group"])
  func otherRecords(_ file: String) throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("userdb")
    let record = "{\"userName\":\"begat-hello\",\"uid\":70001,\"gid\":70001,\"disposition\":\"system\"}\n"
    try directory.write(record, to: "userdb/\(file)")
    let records = UserRecords(directory: directory["userdb"]) { $0 == "begat-hello" ? 70_001 : nil }
    for number in [70_001, 70_001, 70_004] as [UInt32] { records.publish(["hello": number, "time": 70_002]) }
    #expect(try text(directory["userdb/\(file)"]) == record)
    var status = stat()
    #expect(lstat(directory["userdb/\(file)"], &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    let names = try DirectoryListing.names(in: directory["userdb"])
    #expect(names.contains("begat-time.user") && names.contains("70002.group"), "\(names)")
  }

  @Test("leaves links of the administrator's to records of other kinds") func otherLinks() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("userdb")
    try directory.write("{\"userName\":\"begat-hello\",\"uid\":70009}\n", to: "userdb/begat-hello.user")
    for (name, target) in [("70009.user", "begat-hello.user"), ("70001.user", "/etc/userdb/x.user")] {
      try #require(symlink(target, directory["userdb/\(name)"]) == 0)
    }
    let records = UserRecords(directory: directory["userdb"]) { _ in nil }
    records.publish(["hello": 70_002, "x": 70_001])
    let names = try DirectoryListing.names(in: directory["userdb"]).sorted()
    #expect(names == ["70001.user", "70009.user", "begat-hello.user"])
  }
}
