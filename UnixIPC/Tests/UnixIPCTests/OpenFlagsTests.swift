import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct OpenFlagsTests {
  @Test("open as open(2) does")
  func open() throws {
    let directory = try TemporaryDirectory()
    let path = directory["file"]
    try Descriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o640).writeAll("one")
    #expect(throws: SystemCallError("open", on: path, code: .fileExists)) {
      _ = try Descriptor.open(path, [.writeOnly, .create, .exclusive])
    }
    try Descriptor.open(path, [.writeOnly, .append]).writeAll(" two")
    #expect(try Descriptor.open(path, .readOnly).readPrefix(100) == Array("one two".utf8))
    _ = try Descriptor.open(path, [.readWrite, .truncate])
    #expect(try Descriptor.open(path, .readOnly).readPrefix(100) == [])
    #expect(throws: SystemCallError("open", on: path, code: .notDirectory)) {
      _ = try Descriptor.open(path, [.readOnly, .directory])
    }
  }

  @Test("open a place alone, which can be opened beneath and not read")
  func openPath() throws {
    let directory = try TemporaryDirectory()
    try directory.write("text".utf8, to: "file")
    let place = try Descriptor.open(directory.path, [.path, .directory])
    #expect(failure { () throws(SystemCallError) in try place.readPrefix(1) }?.code == .badFileDescriptor)
    #expect(try place.open(beneath: "file", .readOnly).readPrefix(100) == Array("text".utf8))
    let refused = failure { () throws(SystemCallError) in try place.open(beneath: "file\0x", .readOnly) }
    #expect(refused?.code == .invalidArgument)
  }

  @Test("refuse a path with a NUL")
  func refuseNUL() throws {
    let refused = failure { () throws(SystemCallError) in try Descriptor.open("/etc/passwd\0x", .readOnly) }
    #expect(refused?.code == .invalidArgument && refused?.call == "open")
  }

  @Test("are the numbers of the C library")
  func areNumbers() {
    #expect(OpenFlags([.readWrite, .create, .noFollow]).rawValue == O_RDWR | O_CREAT | O_NOFOLLOW)
    #expect(OpenFlags.temporaryFile.contains(.directory))
  }
}
