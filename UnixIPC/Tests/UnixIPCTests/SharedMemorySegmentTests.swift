import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct SharedMemorySegmentTests {
  /// The line of ipcs(1): key, identifier, owner, mode, bytes, mappings.
  private func listed(_ segment: SharedMemorySegment) throws -> [String]? {
    try Tool("/usr/bin/ipcs", "-m").run().split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      .first { $0.count > 4 && $0[1] == String(segment.identifier) }
  }

  @Test("is listed by ipcs with its key, mode, size and mappings, until it is removed")
  func isListed() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 1)
    let segment = try SharedMemorySegment.create(key, size: 2000, mode: 0o640)
    defer { try? segment.remove() }
    let memory = try segment.attach()
    let line = try #require(try listed(segment))
    #expect(line[0] == "\(key)" && line[3...5] == ["640", "2000", "1"], "\(line)")
    let facts = try segment.metadata()
    #expect(facts.size == 2000 && facts.ownership.mode == 0o640 && facts.creatorProcess == getpid())
    #expect(facts.ownership.user == geteuid() && facts.ownership.group == getegid() && facts.attachedCount == 1)
    #expect(memory.count == 2000)
    try segment.remove()
    // Marked, and its key free, while it is mapped.
    #expect(try segment.metadata().isMarkedForRemoval)
    #expect(failure { () throws(SystemCallError) in try SharedMemorySegment.open(key) }?.code == .noSuchFileOrDirectory)
    _ = consume memory
    #expect(try listed(segment) == nil)
  }

  @Test("is its user's alone where no mode is named, whatever the umask is")
  func isPrivate() throws {
    let segment = try SharedMemorySegment.create(size: 1)
    defer { try? segment.remove() }
    #expect(try segment.metadata().ownership.mode == 0o600)
    let open = try SharedMemorySegment.create(size: 1, mode: 0o666)
    defer { try? open.remove() }
    #expect(try open.metadata().ownership.mode == 0o666)
  }

  @Test("is made once for a key, and opened with its size")
  func isMadeOnce() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 2)
    #expect(failure { () throws(SystemCallError) in try SharedMemorySegment.open(key) }?.code == .noSuchFileOrDirectory)
    let segment = try SharedMemorySegment.create(key, size: 300)
    defer { try? segment.remove() }
    #expect(
      failure { () throws(SystemCallError) in try SharedMemorySegment.create(key, size: 300) }?.code == .fileExists)
    let opened = try SharedMemorySegment.open(key)
    #expect(opened == segment)
    #expect(try opened.attach(.readOnly).count == 300)
    let again = try SharedMemorySegment.createOrOpen(key, size: 300)
    #expect(!again.isNew && again.object == segment)
    let greater = failure { () throws(SystemCallError) in try SharedMemorySegment.createOrOpen(key, size: 301) }
    #expect(greater?.code == .invalidArgument)
    #expect(failure { () throws(SystemCallError) in try SharedMemorySegment.create(size: 0) }?.code == .invalidArgument)
    #expect(
      failure { () throws(SystemCallError) in try SharedMemorySegment.open(.private) }?.code == .noSuchFileOrDirectory)
  }

  @Test("is made by exactly one of ten processes, and opened by nine")
  func isMadeByOne() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("memory-race", directory.path)
  }

  @Test("is gone with a process that is killed, where that was asked for")
  func isGoneAfterAKill() throws { try ProbeProgram.check("memory-kills", "50") }

  @Test("is made and attached, and gone when the owner lets go")
  func isGoneWhenDetached() throws {
    let segment: SharedMemorySegment
    do {
      let memory = try SharedMemorySegment.createAttached(size: 10)
      segment = memory.segment
      #expect(try segment.metadata().isMarkedForRemoval)
    }
    #expect(failure { () throws(SystemCallError) in try segment.metadata() } != nil)
    let kept = try SharedMemorySegment.createAttached(size: 10, removal: .whenAsked).segment
    #expect(try kept.metadata().attachedCount == 0)
    try kept.remove()
  }
}
