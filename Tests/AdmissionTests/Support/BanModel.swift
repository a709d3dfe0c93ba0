import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// A table of random bans, and the same as a plain list.
final class BanModel {
  let table: Bans
  private let readers: [Bans.Reader]
  private struct Key: Hashable {
    let network: IPNetwork
    let service: UInt32
  }

  private var bans: [Ban] = []
  /// Where in `bans` each is.
  private var places: [Key: Int] = [:]
  private var random: SeededRandom
  private var now = Deadline(instant: 1000 * second)
  /// How many look-ups had which answer.
  private(set) var banned = 0
  private(set) var admitted = 0
  let slots: BanSlots
  private let memory: MemoryMapping

  private static let services: UInt32 = 5

  init(seed: UInt64) throws {
    let table = try Bans()
    readers = try (1...BanModel.services).map { try table.reader($0) }
    let memory = try table.memory()
    slots = BanSlots(in: memory.unsafeBytes)
    self.memory = memory
    self.table = table
    random = SeededRandom(state: seed)
  }

  private func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

  /// An address of few networks, so that bans overlap.
  private func address() -> SocketAddress {
    if chance(2) {
      return .ipv4(IPv4Address(rawValue: 0x0a00_0000 | UInt32.random(in: 0...0xffff, using: &random)), port: 1)
    }
    let high = 0x2001_0db8_0000_0000 | UInt64.random(in: 0...0xffff, using: &random)
    return .ipv6(IPv6Address(high: high, low: UInt64.random(in: 0...3, using: &random) << 62), port: 1, scope: 0)
  }

  private func network() -> IPNetwork {
    switch address() {
    case .ipv4(let host, _):
      IPNetwork(host, prefixLength: chance(4) ? Int.random(in: 26...32, using: &random) : 32)
    case .ipv6(let host, _, _):
      IPNetwork(host, prefixLength: chance(4) ? Int.random(in: 60...128, using: &random) : 64)
    default: preconditionFailure("no internet address")
    }
  }

  func add() {
    let service = chance(2) ? 0 : UInt32.random(in: 1...BanModel.services, using: &random)
    let expiry = Deadline(instant: now.instant + Int64.random(in: 1...100, using: &random) * second)
    let ban = Ban(network(), service: service, until: chance(2) ? .never : expiry)
    let known = places[Key(network: ban.network, service: service)]
    if let known {
      bans[known] = ban
    } else {
      bans.append(ban)
      place(bans.count - 1)
    }
    #expect(table.add(ban, now: now) == (known == nil ? .added : .changed))
  }

  private func place(_ index: Int) {
    places[Key(network: bans[index].network, service: bans[index].service)] = index
  }

  func change() {
    now = Deadline(instant: now.instant + Int64.random(in: 0...second / 50, using: &random))
    if chance(2) { return add() }
    if chance(50) {
      let count = bans.count
      bans.removeAll { $0.expiry <= now }
      places = [:]
      for index in bans.indices { place(index) }
      #expect(table.removeExpired(now: now) == count - bans.count)
    }
    guard let index = bans.indices.randomElement(using: &random) else { return }
    let ban = bans[index]
    bans.swapAt(index, bans.count - 1)
    bans.removeLast()
    places[Key(network: ban.network, service: ban.service)] = nil
    if index < bans.count { place(index) }
    #expect(table.remove(ban.network, service: ban.service))
    #expect(!table.remove(ban.network, service: ban.service))
  }

  func removeAll() {
    for ban in bans { #expect(table.remove(ban.network, service: ban.service)) }
    bans = []
  }

  /// Looks an address up; returns the difference from the model.
  func fault() throws -> String? {
    let address = address()
    let service = UInt32.random(in: 1...BanModel.services, using: &random)
    let expected = bans.contains { ban in
      guard ban.expiry > now, ban.service == 0 || ban.service == service else { return false }
      return switch address {
      case .ipv4(let host, _): ban.network.contains(host)
      case .ipv6(let host, _, _): ban.network.contains(host)
      default: false
      }
    }
    if expected { banned += 1 } else { admitted += 1 }
    guard readers[Int(service) - 1].isBanned(address, now: now) == expected else {
      return "\(address) is \(expected ? "not " : "")banned from \(service)"
    }
    return table.count == bans.count ? nil : "\(table.count) bans, not \(bans.count)"
  }
}
