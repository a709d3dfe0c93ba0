import ControlProtocol
import Glibc
import Logging
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// What is sent to the service manager, and in which order.
@Suite struct DescriptorStoreTests {
  /// The manager's end, which reads when the test wants.
  private final class Manager {
    let directory: String
    let socket: Descriptor

    init() throws {
      var name = Array("/tmp/begat-store-XXXXXX".utf8CString)
      guard mkdtemp(&name) != nil else { throw SystemCallError("mkdtemp", code: ErrorCode(rawValue: errno)) }
      directory = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      socket = try DatagramSocket(.unixPath(UnixPath("\(directory)/notify"))).release()
    }

    deinit {
      unlink("\(directory)/notify")
      rmdir(directory)
    }

    /// The messages that have come, without FDPOLL=0.
    func read() throws -> [String] {
      var lines: [String] = []
      while socket.wait(for: .readable, until: .immediate) {
        let message = try socket.receive(maxCount: 1000, maxPassed: 1)
        let words = String(decoding: message.bytes, as: UTF8.self).split(separator: "\n")
        #expect(message.descriptors.count == (words[0] == "FDSTOREREMOVE=1" ? 0 : 1))
        let kind = words[0] == "FDSTORE=1" ? "+" : words[0] == "FDSTOREREMOVE=1" ? "-" : String(words[0])
        lines.append(kind + (words.count > 1 ? words[1].dropFirst("FDNAME=".count) : ""))
      }
      return lines
    }

    func store(capacity: Int = 100, stored: KeptDescriptors = KeptDescriptors()) throws -> DescriptorStore {
      guard let socket = NotifySocket("\(directory)/notify") else {
        throw SystemCallError("connect", on: directory, code: .invalidArgument)
      }
      return DescriptorStore(
        socket, capacity: capacity, stored: stored.identities,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
  }

  private func entry(_ name: String, _ file: SharedFile) -> DescriptorStore.Entry {
    DescriptorStore.Entry(
      name: name, identity: FileIdentity(of: file.descriptor), number: file.descriptor.number, owner: file,
      isChannel: false)
  }

  private func file() throws -> SharedFile { SharedFile(try MemoryFile.create(name: "test", size: 1)) }

  @Test("removes before it stores, and replaces the document and what that names last")
  func keepsOrder() throws {
    let manager = try Manager()
    let store = try manager.store()
    let files = try (0..<4).map { _ in try file() }
    store.keep([entry("begat-stream a", files[0]), entry("begat-bans 1", files[1])], SavedState())
    #expect(try manager.read() == ["+begat-stream a", "+begat-bans 1", "+begat-state 1"])
    store.keep([entry("begat-stream b", files[2]), entry("begat-bans 2", files[3])], SavedState())
    #expect(
      try manager.read() == [
        "-begat-stream a", "+begat-stream b", "+begat-bans 2", "+begat-state 2", "-begat-bans 1", "-begat-state 1",
      ])
    // Another socket at the same address.
    store.keep([entry("begat-stream b", files[0]), entry("begat-bans 2", files[3])], SavedState())
    #expect(try manager.read() == ["-begat-stream b", "+begat-stream b", "+begat-state 3", "-begat-state 2"])
  }

  @Test("goes on from what a former begatd has stored")
  func goesOn() throws {
    let manager = try Manager()
    let kept = KeptDescriptors()
    let socket = try file()
    kept.add(try socket.descriptor.duplicate(), named: "begat-stream a")
    for name in ["begat-stream b", "begat-state 7", "begat-bans 1", "begat-board x 1"] {
      kept.add(try MemoryFile.create(name: "test", size: 1), named: name)
    }
    let store = try manager.store(stored: kept)
    store.keep([entry("begat-stream a", socket)], SavedState())
    #expect(
      try manager.read() == [
        "-begat-board x 1", "-begat-stream b", "+begat-state 8", "-begat-bans 1", "-begat-state 7",
      ])
  }

  @Test("sends what the manager had no room for when it reads, as it is then")
  func retries() throws {
    let manager = try Manager()
    let store = try manager.store(capacity: 10_000)
    let files = try (0..<600).map { _ in try file() }
    store.keep(files.enumerated().map { entry("begat-book \($0)", $1) }, SavedState())
    try #require(store.retryTime != nil, "the manager's queue has room for too much")
    store.awaitReading()
    store.keep(files.prefix(500).enumerated().map { entry("begat-book \($0)", $1) }, SavedState())
    var names: Set<String> = []
    var last = ""
    let end = UnixCore.Deadline(after: .seconds(20))
    while store.retryTime != nil, !end.hasPassed {
      for message in try manager.read() {
        last = message
        if message.hasPrefix("+") {
          names.insert(String(message.dropFirst()))
        } else {
          names.remove(String(message.dropFirst()))
        }
      }
      SystemClock.sleep(for: .milliseconds(1))
      store.retryIfDue()
    }
    for message in try manager.read() {
      last = message
      if message.hasPrefix("+") {
        names.insert(String(message.dropFirst()))
      } else {
        names.remove(String(message.dropFirst()))
      }
    }
    #expect(names == Set((0..<500).map { "begat-book \($0)" } + ["begat-state 2"]))
    #expect(last == "BARRIER=1")
    #expect(store.isAwaitingReading)
  }

  @Test("leaves out what there is no room for, the last first, and never the document")
  func knowsItsLimit() throws {
    let manager = try Manager()
    let store = try manager.store(capacity: 4)
    let files = try (0..<4).map { _ in try file() }
    store.keep(files.enumerated().map { entry("begat-book \($0)", $1) }, SavedState())
    #expect(try manager.read() == ["+begat-book 0", "+begat-book 1", "+begat-state 1"])
    store.keep(files.dropFirst().enumerated().map { entry("begat-book \($0 + 1)", $1) }, SavedState())
    let messages = try manager.read()
    #expect(messages == ["-begat-book 0", "+begat-book 2", "+begat-state 2", "-begat-state 1"])
  }

  @Test("changes nothing once it is left to the next begatd")
  func freezes() throws {
    let manager = try Manager()
    let store = try manager.store()
    let files = try (0..<2).map { _ in try file() }
    store.keep([entry("begat-stream a", files[0])], SavedState())
    store.freeze()
    store.keep([entry("begat-stream b", files[1])], SavedState())
    #expect(try manager.read() == ["+begat-stream a", "+begat-state 1"])
  }
}
