import CSharedLayouts
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// A client's address from text, its port being of no account.
func peer(_ text: String) throws -> SocketAddress {
  if let host = IPv4Address(text) { return .ipv4(host, port: 1) }
  if let host = IPv6Address(text) { return .ipv6(host, port: 1, scope: 0) }
  return try #require(SocketAddress(text), "no address: \(text)")
}

extension AccessPeer {
  /// Reads `192.0.2.0/24`, `unix:1000` or `unix:*`.
  init?(_ text: String) {
    if text == "unix:*" {
      self = .anyUser
    } else if text.hasPrefix("unix:"), let user = UInt32(text.dropFirst(5)) {
      self = .user(user)
    } else if let network = try? IPNetwork(parsing: text) {
      self = .network(network)
    } else {
      return nil
    }
  }
}

func rules(allow: [String]? = nil, deny: [String] = []) throws -> AccessRules {
  func peers(_ texts: [String]) throws -> [AccessPeer] {
    try texts.map { try #require(AccessPeer($0), "no peer: \($0)") }
  }
  return AccessRules(allow: try allow.map(peers), deny: try peers(deny))
}

func rate(_ text: String) throws -> RateLimit { try #require(RateLimit(text), "no rate: \(text)") }

func limits(_ change: (inout AdmissionLimits) throws -> Void) rethrows -> AdmissionLimits {
  var limits = AdmissionLimits()
  try change(&limits)
  return limits
}

let second: Int64 = 1_000_000_000

// Instants as plain numbers, which tests reckon with.

extension Admission.Wait {
  static func until(_ instant: Int64) -> Admission.Wait { .until(Deadline(instant: instant)) }
}

extension TokenBucket {
  func nextTime(fullAt: Int64) -> Int64 { nextTime(fullAt: Deadline(instant: fullAt)).instant }

  func taking(fullAt: Int64, now: Int64) -> Int64 {
    taking(fullAt: Deadline(instant: fullAt), now: Deadline(instant: now)).instant
  }
}

extension SourceTable {
  func find(_ number: UInt64, now: Int64) -> Number {
    find(Source(high: number, low: 0), now: Deadline(instant: now))
  }

  func rebuild(now: Int64, adopt: (UnsafeMutablePointer<begat_source>) -> Void) {
    rebuild(now: Deadline(instant: now), adopt: adopt)
  }

  func begin(_ number: Number, fullAt: Int64) { begin(number, fullAt: Deadline(instant: fullAt)) }
  func touch(_ number: Number, fullAt: Int64) { touch(number, fullAt: Deadline(instant: fullAt)) }
  func fullAt(_ number: Number) -> Int64 { book.fullAt(number).instant }
  func active(_ number: Number) -> Int { book.active(number) }
}
