import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite(.timeLimit(.minutes(30))) struct NameCacheTests {
  private typealias Key = NameCache.Key

  private func key(_ number: UInt64) -> Key { Key(.ipv6(IPv6Address(high: 0x2001 << 48, low: number), port: 0))! }

  /// A cache that is written and one that is only read, of the same memory.
  private func caches() throws -> Caches {
    let object = try MemoryFile.create(name: "test", size: NameCache.size)
    return Caches(
      writer: try NameCache(object, writable: true), reader: try NameCache(object, writable: false),
      memory: try MemoryMapping.file(object, size: NameCache.size, writable: true))
  }

  @Test("has the name that was stored, until another is")
  func hasTheName() throws {
    let caches = try caches()
    #expect(caches.look(key(1)) == nil)
    caches.writer.store("host.example", for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some("host.example"))
    #expect(caches.reader.knows(key(1)) == true && caches.reader.name(of: key(1)) == "host.example")
    caches.writer.store("other.example", for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some("other.example"))
    caches.writer.store(nil, for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some(nil) && caches.reader.name(of: key(1)) == nil)
    #expect(caches.look(key(2)) == nil)
  }

  @Test("knows no name whose time is over")
  func forgets() throws {
    let caches = try caches()
    caches.writer.store("host.example", for: key(1), lifetime: .zero)
    #expect(caches.look(key(1)) == nil)
    caches.writer.store("host.example", for: key(1), lifetime: .seconds(-5))
    #expect(caches.look(key(1)) == nil)
  }

  @Test("cuts a name after 255 bytes and a reader's room before that")
  func cutsNames() throws {
    let caches = try caches()
    caches.writer.store(String(repeating: "n", count: 300), for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some(String(repeating: "n", count: 255)))
    #expect(caches.look(key(1), room: 10) == .some(String(repeating: "n", count: 10)))
  }

  @Test("gives nothing of an entry that is being written")
  func givesNothingHalfWritten() throws {
    let caches = try caches()
    caches.writer.store("host.example", for: key(1), lifetime: .seconds(60))
    let entries = caches.memory.unsafeBytes.bindMemory(to: begat_name.self)
    let place = try #require(entries.firstIndex { $0.sequence != 0 })
    let sequence = entries[place].sequence
    #expect(sequence & 1 == 0)
    entries[place].sequence |= 1
    #expect(caches.look(key(1)) == nil)
    // A resolver that died while writing does not block its successor.
    caches.writer.store("host.example", for: key(1), lifetime: .seconds(60))
    #expect(entries[place].sequence & 1 == 0)
    #expect(caches.look(key(1)) == .some("host.example"))
  }

  @Test("believes no length that a writer got wrong")
  func believesNoLength() throws {
    let caches = try caches()
    caches.writer.store("host.example", for: key(1), lifetime: .seconds(60))
    let entries = caches.memory.unsafeBytes.bindMemory(to: begat_name.self)
    let place = try #require(entries.firstIndex { $0.sequence != 0 })
    for length in [256, 1 << 31, UInt32.max] {
      entries[place].length = length
      #expect(caches.look(key(1), room: 1000) == .some(nil))
    }
  }

  @Test(
    "believes no name with other characters than names have",
    arguments: ["\u{1b}]0;PWN\u{7}", "host\r\nX", "a b", "host\0", "h\u{f6}st", "a/b", "%n"])
  func believesNoForgedName(name: String) throws {
    let caches = try caches()
    caches.writer.store(name, for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some(nil))
    caches.writer.store("a-host_1.Example", for: key(1), lifetime: .seconds(60))
    #expect(caches.look(key(1)) == .some("a-host_1.Example"))
  }

  @Test("replaces a name by that of another address in the same place")
  func replaces() throws {
    let caches = try caches()
    // Twice as many as there are places: some meet.
    for number in 0..<2048 { caches.writer.store("host\(number)", for: key(UInt64(number)), lifetime: .seconds(60)) }
    var known = 0
    for number in 0..<2048 {
      guard let found = caches.look(key(UInt64(number))) else { continue }
      known += 1
      // Whatever place it is in: never another's name.
      #expect(found == "host\(number)")
    }
    #expect((500...1024).contains(known), "\(known)")
  }

  @Test("wakes whoever waits when a name is stored")
  func wakes() throws {
    let caches = try caches()
    let sequence = caches.reader.sequence(for: key(1))
    let storing = Background { [key = key(1)] in caches.writer.store("late.example", for: key, lifetime: .seconds(60)) }
    #expect(caches.reader.wait(for: key(1), unlessChangedFrom: sequence, nanoseconds: 20_000_000_000) == true)
    storing.join()
    #expect(caches.look(key(1)) == .some("late.example"))
    #expect(caches.reader.wait(for: key(1), unlessChangedFrom: sequence, nanoseconds: 20_000_000_000) == true)
  }

  @Test("lets a waiter go after its time")
  func letsGo() throws {
    let caches = try caches()
    let began = SystemClock.monotonic()
    let sequence = caches.reader.sequence(for: key(1))
    #expect(caches.reader.wait(for: key(1), unlessChangedFrom: sequence, nanoseconds: 20_000_000) == false)
    #expect(SystemClock.monotonic() - began >= 20_000_000)
  }

  @Test("is refused in an object that is too small")
  func isRefused() throws {
    let object = try MemoryFile.create(name: "test", size: NameCache.size - 1)
    do throws(SystemCallError) {
      _ = try NameCache(object, writable: true)
      Issue.record("was mapped")
    } catch { #expect(error == SystemCallError("mmap", on: "name cache", code: .invalidArgument)) }
  }

  @Test("asks by a message that is read as the same address, IPv4 in either form as one")
  func asks() throws {
    let pair = try SocketPair(kind: .datagram)
    let addresses: [SocketAddress] = [
      .ipv4(.loopback, port: 5), .ipv6(.loopback, port: 6), .ipv6(IPv6Address(high: 1 << 63, low: 2), port: 0),
    ]
    for address in addresses {
      let key = try #require(Key(address))
      #expect(key.send(on: pair.first) == true)
      withUnsafeTemporaryAllocation(byteCount: 100, alignment: 8) { room in
        let count = (try? pair.second.receive(into: room, waiting: false)) ?? 0
        #expect(Key(message: UnsafeRawBufferPointer(rebasing: room[..<count])) == key)
        #expect(Key(message: UnsafeRawBufferPointer(rebasing: room[..<15])) == nil)
      }
    }
    #expect(Key(.ipv4(.loopback, port: 1)) == Key(.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 2)))
    #expect(Key(.ipv4(.loopback, port: 1))?.address == .ipv4(.loopback, port: 0))
    #expect(Key(.unixUnnamed) == nil && Key(.unixPath("/x")) == nil)
  }
}

private final class Caches: Sendable {
  let writer: NameCache
  let reader: NameCache
  let memory: MemoryMapping

  init(writer: consuming NameCache, reader: consuming NameCache, memory: consuming MemoryMapping) {
    self.writer = writer
    self.reader = reader
    self.memory = memory
  }

  /// The name; nil inside for a host without one, nil outside when it is unknown.
  func look(_ key: NameCache.Key, room size: Int = 512) -> String?? {
    withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { room in
      var text = ByteWriter(room)
      switch reader.look(key, writeTo: &text) {
      case .name: return .some(String(decoding: text.bytes, as: UTF8.self))
      case .nameless: return .some(nil)
      case .unknown: return nil
      }
    }
  }
}
