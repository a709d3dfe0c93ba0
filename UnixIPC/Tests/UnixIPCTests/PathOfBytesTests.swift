import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

/// File names that are not UTF-8.
@Suite(.timeLimit(.minutes(30))) struct PathOfBytesTests {
  private let directory: TemporaryDirectory
  private let path: UnixPath

  init() throws {
    directory = try TemporaryDirectory()
    path = "\(directory.path)/bad\(UnixPath(bytes: [0xff]))name"
  }

  @Test("are opened, told apart and found")
  func areOpened() throws {
    try Descriptor.open(path, [.create, .writeOnly]).writeAll("x")
    #expect(try FileKind(at: path) == .regular)
    let opened = try Descriptor.open(directory.path, [.readOnly, .directory]).open(beneath: path.lastName, .readOnly)
    #expect(try opened.readToEnd() == [UInt8(ascii: "x")])
    #expect(try SystemVKey(path: path, project: 1) == SystemVKey(path: path, project: 1))
  }

  @Test("are replaced, and locked meanwhile")
  func areReplaced() throws {
    let lock = try PathLock(beside: path, until: .immediate)
    let taken = failure { () throws(PathLock.LockError) in try PathLock(beside: path, until: .immediate) }
    if case .taken = taken {} else { Issue.record("\(String(describing: taken))") }
    let start = SystemClock.monotonic()
    let late = failure {
      try withDeadline(.immediate) { _ = try PathLock(beside: path, until: Deadline(after: .seconds(20))) }
    }
    if case .taken = late as? PathLock.LockError {} else { Issue.record("\(String(describing: late))") }
    #expect(SystemClock.monotonic() - start < 10_000_000_000)
    let file = try FileReplacement(of: path)
    try file.contents.writeAll("new")
    try file.commit()
    #expect(try Descriptor.open(path, .readOnly).readToEnd() == Array("new".utf8))
    _ = consume lock
    #expect(directory.names() == [path.lastName])
  }

  @Test("are FIFOs, with a server too")
  func areFIFOs() throws {
    let fifo = try FIFO.make(at: path)
    #expect(fifo.path == path && fifo.isInPlace)
    #expect(fifo.removeIfOurs() == true)
    let server = try FIFOServer(at: path)
    #expect(try FileKind(at: path) == .fifo)
    let refused = failure { () throws(FIFO.OpenError) in try FIFOServer(at: path) }
    #expect(refused?.description.contains(#"bad\xffname: another server"#) == true)
    _ = consume server
    #expect(directory.names() == [])
  }

  @Test("are bound, connected to, and told of peers")
  func areBound() throws {
    let bound = try UnixSocketFile.listen(at: path, backlog: 1, access: UnixSocketFile.Access())
    let client = try ClientSocket.connect(to: .unixPath(path))
    #expect(SocketAddress.unixPath(path).unixName == UntrustedBytes(path.bytes))
    var peer = RawSocketAddress()
    let found = peer.withMutablePointer { getpeername(client.number, $0, $1) }
    #expect(found == 0 && peer.address == .unixPath(path))
    #expect(UnixSocketTable.hasServer(at: path))
    let second = failure { () throws(UnixSocketFile.BindError) in
      try UnixSocketFile.listen(at: path, backlog: 1, access: UnixSocketFile.Access())
    }
    #expect(second == .inUse(path))
    bound.file.removeIfOurs()
    #expect(directory.names() == [])
  }

  @Test("are safe or not as others are")
  func areLookedAt() throws {
    try path.withCPath("mkdir") { (path) throws(SystemCallError) in _ = mkdir(path, 0o700) }
    try path.withCPath("chmod") { (path) throws(SystemCallError) in _ = chmod(path, 0o777) }
    #expect(try UnsafeDirectory.find(on: path) == UnsafeDirectory(path: path, reason: .writableByAll))
    try path.withCPath("rmdir") { (path) throws(SystemCallError) in _ = rmdir(path) }
  }
}
