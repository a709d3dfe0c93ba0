import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite(.timeLimit(.minutes(30))) struct BanTests {
  private let now = Deadline(instant: 1000 * second)

  private func ban(_ text: String, service: UInt32 = 0, until: Int64? = nil) throws -> Ban {
    Ban(try IPNetwork(parsing: text), service: service, until: until.map { Deadline(instant: $0 * second) } ?? .never)
  }

  private func isBanned(_ text: String, _ reader: Bans.Reader) throws -> Bool {
    reader.isBanned(try peer(text), now: now)
  }

  @Test("keeps a network away from the moment that it is banned to the moment that it is not")
  func bans() throws {
    let table = try Bans()
    let first = try table.reader(1)
    let second = try table.reader(2)
    #expect(try !isBanned("192.0.2.7", first))
    #expect(table.add(try ban("192.0.2.7"), now: now) == .added)
    #expect(table.add(try ban("198.51.100.0/24", service: 2), now: now) == .added)
    #expect(table.add(try ban("2001:db8::/32"), now: now) == .added)
    #expect(table.count == 3)
    for text in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:ffff::1"] {
      #expect(try isBanned(text, first), "\(text)")
      #expect(try isBanned(text, second), "\(text)")
    }
    for text in ["192.0.2.8", "198.51.100.1", "2001:db9::1", "@socket", "c000:207::"] {
      #expect(try !isBanned(text, first), "\(text)")
    }
    #expect(first.isBanned(nil, now: now) == false)
    #expect(try isBanned("198.51.100.1", second) && !isBanned("198.51.101.1", second))
    #expect(try !table.remove(IPNetwork(parsing: "192.0.2.0/24"), service: 0))
    #expect(try !table.remove(IPNetwork(parsing: "192.0.2.7"), service: 1))
    #expect(try table.remove(IPNetwork(parsing: "192.0.2.7"), service: 0))
    #expect(try !isBanned("192.0.2.7", first))
    #expect(try table.remove(IPNetwork(parsing: "198.51.100.0/24"), service: 2) && !isBanned("198.51.100.1", second))
    #expect(try table.remove(IPNetwork(parsing: "2001:db8::/32"), service: 0) && table.count == 0)
  }

  @Test("bans whole families, and the widest and the narrowest of their networks")
  func bansAnyLength() throws {
    let table = try Bans()
    let reader = try table.reader(1)
    for (text, inside, outside) in [
      ("0.0.0.0/0", "192.0.2.7", "2001:db8::1"), ("::/0", "2001:db8::1", "192.0.2.7"),
      ("128.0.0.0/1", "192.0.2.7", "127.0.0.1"), ("8000::/1", "fe80::1", "2001:db8::1"),
      ("2001:db8::/63", "2001:db8:0:1::1", "2001:db8:0:2::1"), ("2001:db8::/65", "2001:db8::1", "2001:db8::8000:0:0:1"),
      ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
    ] {
      #expect(table.add(try ban(text), now: now) == .added)
      #expect(try isBanned(inside, reader) && !isBanned(outside, reader), "\(text)")
      #expect(try table.remove(IPNetwork(parsing: text), service: 0) && !isBanned(inside, reader), "\(text)")
    }
  }

  @Test("ends a ban at its time, and changes the time of one that is there")
  func ends() throws {
    let table = try Bans()
    let reader = try table.reader(1)
    #expect(table.nextExpiry() == .never)
    #expect(table.add(try ban("192.0.2.7", until: 1001), now: now) == .added)
    #expect(table.add(try ban("192.0.2.0/24", until: 1010), now: now) == .added)
    #expect(table.add(try ban("192.0.2.8"), now: now) == .added)
    #expect(table.nextExpiry().instant == 1001 * second)
    let address = try peer("192.0.2.7")
    #expect(reader.isBanned(address, now: Deadline(instant: 1010 * second - 1)))
    #expect(!reader.isBanned(address, now: Deadline(instant: 1010 * second)))
    #expect(reader.isBanned(try peer("192.0.2.8"), now: Deadline(instant: 1010 * second)))
    #expect(table.removeExpired(now: Deadline(instant: 1001 * second - 1)) == 0 && table.count == 3)
    #expect(table.add(try ban("192.0.2.7", until: 2000), now: now) == .changed)
    #expect(reader.isBanned(address, now: Deadline(instant: 2000 * second - 1)) && table.count == 3)
    #expect(table.removeExpired(now: Deadline(instant: 2000 * second)) == 2 && table.count == 1)
    #expect(table.all() == [try ban("192.0.2.8")] && table.nextExpiry() == .never)
  }

  @Test("shows bans in the order of their networks, and those that cover one")
  func shows() throws {
    let table = try Bans()
    let texts = ["10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "192.0.2.7", "::1", "2001:db8::/32"]
    let expected = try texts.map { try ban($0, until: 2000) }
    for ban in expected.reversed() { _ = table.add(ban, now: now) }
    #expect(table.all() == expected)
    #expect(table.covering(try IPNetwork(parsing: "10.0.0.1")) == Array(expected.prefix(2)))
    #expect(table.covering(try IPNetwork(parsing: "10.0.0.0/12")) == [expected[0]])
    #expect(table.covering(try IPNetwork(parsing: "0.0.0.0/0")) == [])
    #expect(table.covering(try IPNetwork(parsing: "::/0")) == [])
  }

  @Test("is bounded, and makes room by the bans that have ended")
  func isBounded() throws {
    let table = try Bans()
    let reader = try table.reader(1)
    func host(_ number: Int) -> IPv4Address { IPv4Address(rawValue: UInt32(number)) }
    for number in 0..<BanTable.capacity {
      let expiry: Deadline = number < 2 ? Deadline(instant: now.instant + 1) : .never
      #expect(table.add(Ban(IPNetwork(host(number)), until: expiry), now: now) == .added)
    }
    #expect(table.add(Ban(IPNetwork(host(1 << 20))), now: now) == .full)
    #expect(!reader.isBanned(.ipv4(host(1 << 20), port: 1), now: now) && table.count == BanTable.capacity)
    #expect(table.add(Ban(IPNetwork(host(5))), now: now) == .changed)
    let later = Deadline(instant: now.instant + 1)
    #expect(table.add(Ban(IPNetwork(host(1 << 20))), now: later) == .added && table.count == BanTable.capacity - 1)
    for number in 2..<BanTable.capacity { #expect(reader.isBanned(.ipv4(host(number), port: 1), now: later)) }
    #expect(reader.isBanned(.ipv4(host(1 << 20), port: 1), now: later))
    #expect(!reader.isBanned(.ipv4(host(0), port: 1), now: now))
  }

  @Test("answers as a plain model does, with 10,000 bans of all kinds that come and go")
  func answersAsAModel() throws {
    let model = try BanModel(seed: 11)
    for _ in 0..<10_000 { model.add() }
    #expect(model.table.count > 9000)
    for round in 0..<10 {
      for _ in 0..<300 { model.change() }
      for look in 0..<100 { try #require(try model.fault() == nil, "look-up \(look) of round \(round)") }
    }
    #expect(model.banned > 100 && model.admitted > 100)
    model.removeAll()
    #expect(model.table.count == 0)
    let slots = UnsafeBufferPointer(start: model.slots.first, count: BanSlots.count)
    #expect(slots.allSatisfy { $0.kind == 0 } && begat_ban_count(model.slots.header) == 0)
    for scope in 0..<2 as Range<UInt32> {
      #expect((0..<3 as Range<UInt32>).allSatisfy { begat_ban_kinds(model.slots.header, scope, $0) == 0 })
    }
  }

  @Test("looks up while the writer writes: what is always banned is, what never is not")
  func readsWhileWritten() throws {
    let table = try Bans()
    let reader = try table.reader(1)
    @Sendable func address(_ number: UInt64, kept: Bool) -> IPv6Address { IPv6Address(high: kept ? 1 : 2, low: number) }
    for number in 0..<1000 as Range<UInt64> { _ = table.add(Ban(IPNetwork(address(number, kept: true)))) }
    let writer = Background { table.write { IPNetwork(address($0, kept: false)) } }
    for round in 0..<40 as Range<UInt64> {
      for number in 0..<1000 as Range<UInt64> where number % 4 == round % 4 {
        let kept = SocketAddress.ipv6(address(number, kept: true), port: 1, scope: 0)
        #expect(reader.isBanned(kept, now: now))
        let other = SocketAddress.ipv6(IPv6Address(high: 3, low: number), port: 1, scope: 0)
        #expect(!reader.isBanned(other, now: now))
      }
    }
    table.stop()
    writer.join()
    #expect(table.changes > 1000)
  }

  @Test("keeps bans in force when their writer was killed in the middle of a change")
  func survivesTheWriter() throws {
    let table = try Bans()
    let reader = try table.reader(1)
    _ = table.add(try ban("192.0.2.7"), now: now)
    let memory = try table.memory()
    begat_begin_change(BanSlots(in: memory.unsafeBytes).header)
    #expect(try isBanned("192.0.2.7", reader) && !isBanned("192.0.2.8", reader))
  }

  @Test("hashes as another program's SipHash-1-3 does")
  func hashes() throws {
    let key = BanKey(high: 0x0706_0504_0302_0100, low: 0x0f0e_0d0c_0b0a_0908, service: 0x1312_1110, kind: 162)
    #expect(key.hash((0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)) == 0x7103_ea5d_c307_22f0)
  }

  @Test("is refused where it is no table of bans")
  func isRefused() throws {
    let empty = try MemoryFile.create(name: "empty", size: BanSlots.size)
    #expect(throws: SystemCallError("mmap", on: "table of bans", code: .invalidArgument)) {
      _ = try BanReader(empty, service: 1)
    }
    let small = try MemoryFile.create(name: "small", size: 10)
    #expect(throws: SystemCallError.self) { _ = try BanReader(small, service: 1) }
  }

  @Test("refuses clients and datagrams before any rule or limit is asked")
  func refuses() throws {
    let table = try Bans()
    let admission = try Admission(
      limits { $0.allow = [try #require(AccessPeer("192.0.2.0/24"))] }, book: nil,
      bans: try table.nativeReader(1))
    let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
    func refusal() -> Refusal? {
      if case .refused(let refusal) = admission.admit(client, now: now) { refusal } else { nil }
    }
    #expect(refusal() == nil && admission.refusalOfEvent(from: client, now: now) == nil)
    _ = table.add(try ban("192.0.2.7"), now: now)
    #expect(refusal() == .banned && admission.refusalOfEvent(from: client, now: now) == .banned)
    #expect(!Refusal.banned.concernsOpenConnections)
  }
}
