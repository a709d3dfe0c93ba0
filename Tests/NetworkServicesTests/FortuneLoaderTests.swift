import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct FortuneLoaderTests {
  private static let text = "one\n%\ntwo\nlines\n%\nthree\n"
  private static let sent = ["one\r\n", "two\r\nlines\r\n", "three\r\n"]

  /// A database `f` with or without its index.
  private func database(_ text: String = text, index: [UInt8]? = nil) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try directory.write(text.utf8, to: "f")
    if let index { try directory.write(index, to: "f.dat") }
    return directory
  }

  private func load(_ text: String, index: [UInt8]? = nil, longest: Int? = nil) throws -> LoadedFortunes {
    let directory = try database(text, index: index)
    return try LoadedFortunes(directory["f"], longest: longest)
  }

  private func advice(_ path: String) -> String {
    "fortune index \(path).dat: damaged; indexed from the text; run strfile on it again"
  }

  @Test("reads a text without an index")
  func readsAText() throws {
    let loaded = try load(Self.text)
    #expect(loaded.texts == Self.sent && loaded.warnings == [])
  }

  @Test("reads a text with its index, whatever order that is in", arguments: [0, 1, 2] as [UInt32])
  func readsAnIndex(flags: UInt32) throws {
    var index = IndexFile(of: Self.text)
    index.flags = flags
    // As strfile -r shuffles them: the end's offset among the others.
    if flags == 1 { index.offsets = [18, 0, UInt32(Self.text.utf8.count), 6] }
    let loaded = try load(Self.text, index: index.bytes)
    #expect(loaded.texts == Self.sent && loaded.warnings == [])
  }

  @Test("turns rotated letters back")
  func turnsBack() throws {
    let text = "Uryyb, 1!\n%\nJbeyq\n"
    var index = IndexFile(of: text)
    index.flags = 4
    let loaded = try load(text, index: index.bytes)
    #expect(loaded.texts == ["Hello, 1!\r\n", "World\r\n"] && loaded.warnings == [])
  }

  @Test("takes the delimiter that the index names")
  func takesTheDelimiter() throws {
    let text = "a\n%\nb\n$\nc\n"
    var index = IndexFile(of: text)
    index.delimiter = UInt8(ascii: "$")
    index.offsets = [0, 8, 10]
    index.count = 2
    let loaded = try load(text, index: index.bytes)
    #expect(loaded.texts == ["a\r\n%\r\nb\r\n", "c\r\n"] && loaded.warnings == [])
  }

  @Test(
    "reports a damaged index and finds the entries without it",
    arguments: ["truncated", "count", "empty", "none", "swapped", "text"])
  func reportsADamagedIndex(damage: String) throws {
    var index = IndexFile(of: Self.text)
    var bytes = index.bytes
    switch damage {
    case "truncated": bytes = Array(bytes.prefix(20))
    case "count":
      index.count = .max
      bytes = index.bytes
    case "empty": bytes = []
    case "none":
      index.count = 0
      bytes = index.bytes
    case "swapped": bytes = stride(from: 0, to: bytes.count, by: 4).flatMap { bytes[$0..<($0 + 4)].reversed() }
    default: bytes = Array(Self.text.utf8)
    }
    let directory = try database(index: bytes)
    let loaded = try LoadedFortunes(directory["f"])
    #expect(loaded.texts == Self.sent)
    #expect(loaded.warnings == [advice(directory["f"])])
  }

  @Test(
    "reports an index that does not fit its text",
    arguments: [[0, 6, 500, 600], [1, 7, 18, 25], [0, 0, 0, 0]] as [[UInt32]])
  func reportsAnotherTextsIndex(offsets: [UInt32]) throws {
    var index = IndexFile(of: Self.text)
    index.offsets = offsets
    let directory = try database(index: index.bytes)
    let loaded = try LoadedFortunes(directory["f"])
    #expect(loaded.texts == Self.sent)
    #expect(
      loaded.warnings
        == [
          "fortune index \(directory["f"]).dat: does not fit its text; indexed from the text; run strfile on it again"
        ])
  }

  @Test("says why a file with CRLF is one fortune")
  func saysWhyThereIsOne() throws {
    let directory = try TemporaryDirectory()
    let path = directory["f"]
    try directory.write("one\r\n%\r\ntwo\r\n%\r\nthree\r\n".utf8, to: "f")
    let loaded = try LoadedFortunes(path)
    #expect(loaded.texts.count == 1)
    #expect(
      loaded.warnings == [
        "fortune database \(path): its lines end in CRLF, so that no % line divides it: all 23 bytes are one fortune; "
          + "convert it with sed -i 's/\\r$//'"
      ])
  }

  @Test("leaves out what is no plain file, without waiting for it", arguments: ["fifo", "zero", "socket", "missing"])
  func leavesOutOtherFiles(kind: String) throws {
    let directory = try database()
    let path = directory["other"]
    switch kind {
    case "fifo": try #require(mkfifo(path, 0o644) == 0)
    case "zero": try #require(symlink("/dev/zero", path) == 0)
    case "socket": _ = try ListeningSocket(.unixPath(UnixPath(path)), backlog: 1)
    default: break
    }
    let loaded = try LoadedFortunes(path, directory["f"])
    #expect(loaded.texts == Self.sent)
    #expect(loaded.warnings.count == 1 && loaded.warnings[0].contains(path), "\(loaded.warnings)")
  }

  @Test("does not wait for an index that is no plain file", arguments: ["fifo", "zero", "directory"])
  func leavesOutAnotherIndex(kind: String) throws {
    let directory = try database()
    switch kind {
    case "fifo": try #require(mkfifo(directory["f.dat"], 0o644) == 0)
    case "zero": try #require(symlink("/dev/zero", directory["f.dat"]) == 0)
    default: try directory.makeDirectory("f.dat")
    }
    let loaded = try LoadedFortunes(directory["f"])
    #expect(loaded.texts == Self.sent)
    #expect(
      loaded.warnings
        == ["fortune index \(directory["f"]).dat: cannot be read; indexed from the text; run strfile on it again"])
  }

  @Test("keeps what it read when the file shrinks or goes away")
  func keepsWhatItRead() throws {
    let directory = try database()
    let loaded = try LoadedFortunes(directory["f"])
    try #require(truncate(directory["f"], 0) == 0)
    #expect(loaded.texts == Self.sent)
    try #require(unlink(directory["f"]) == 0)
    #expect(loaded.texts == Self.sent)
  }

  @Test("takes an entry of a megabyte")
  func takesALongEntry() throws {
    let long = String(repeating: "0123456789abcde\n", count: 65536)
    let loaded = try load("\(long)%\nshort\n")
    let isWhole = loaded.texts == [long.split(separator: "\n").map { $0 + "\r\n" }.joined(), "short\r\n"]
    #expect(isWhole)
    #expect(loaded.collection.random(atMost: 511)?.sentLength == 7)
  }

  @Test("leaves out entries that are longer than asked for, counted as sent")
  func leavesOutLongEntries() throws {
    #expect(try load(Self.text, longest: 7).texts == ["one\r\n", "three\r\n"])
    #expect(try load(Self.text, longest: 6).texts == ["one\r\n"])
  }

  @Test("reads any number of the smallest texts")
  func readsSmallTexts() throws {
    let directory = try TemporaryDirectory()
    for number in 0..<50 { try directory.write("x".utf8, to: "f\(number)") }
    #expect(try LoadedFortunes(directory.path).collection.count == 50)
  }

  @Test("serves the embedded collection where there is nothing, and says so")
  func servesTheEmbeddedCollection() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "empty")
    try directory.write("%\n%\n\n%\n".utf8, to: "blank")
    for name in ["missing", "empty", "blank", "."] {
      let loaded = try LoadedFortunes(directory[name])
      #expect(loaded.collection.count >= 100)
      #expect(loaded.warnings.last == "no fortune could be read; the embedded collection is served")
    }
  }

  @Test(
    "reads what strfile(1) writes", .enabled(if: hasStrfile, "needs strfile(1) of fortune-mod"),
    arguments: ["", "-r", "-o", "-x", "-i"])
  func readsStrfile(option: String) throws {
    let text = (1...60).map { "Fortune \($0)\nof sixty\n%\n" }.shuffled().joined()
    let directory = try database(option == "-x" ? rotated(text) : text)
    let words = ["-s"] + (option.isEmpty ? [] : [option]) + [directory["f"]]
    let child = try Program(path: strfilePath, arguments: words).start(descriptors: [])
    #expect(try Children.wait(for: child).isSuccess)
    try #require(directory.facts("f.dat") != nil)
    let loaded = try LoadedFortunes(directory["f"])
    #expect(Set(loaded.texts) == Set((1...60).map { "Fortune \($0)\r\nof sixty\r\n" }))
    #expect(loaded.warnings == [])
  }

  private func rotated(_ text: String) -> String {
    String(decoding: text.utf8.map { NetworkServices.rotated($0) }, as: UTF8.self)
  }
}

private let strfilePath = "/usr/bin/strfile"
private let hasStrfile = access(strfilePath, X_OK) == 0
