import Glibc
@_spi(Begat) import UnixCore

/// How far a host's clock is from ours, by the four bytes of its time server.
///
/// Source: RFC 868.
struct TimeAnswer: Equatable {
  /// The host's clock less ours, in seconds: whole ones, as the protocol has no others.
  let difference: Int64
  /// The host's time when it answered, in seconds since 1970-01-01 00:00 UTC.
  let time: Int64
  /// What the way of the answer is taken to have lasted.
  let halfRoundTrip: Duration

  /// From 1900-01-01 to 1970-01-01.
  private static let epochDifference: Int64 = 2_208_988_800

  /// Reads four bytes, the most significant first, in the era of 2³² seconds that is nearest to our own clock: they began
  /// again from 0 on 2036-02-07 06:28:16 UTC.
  ///
  /// - Parameter received: when they came, in nanoseconds since 1970-01-01 00:00 UTC.
  init(_ bytes: [UInt8], received: Int64, roundTrip: Duration) {
    let seconds = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    halfRoundTrip = roundTrip / 2
    // The server cuts fractions off, and so is ours.
    let then = received - halfRoundTrip.nanoseconds
    let ours = then / 1_000_000_000 - (then % 1_000_000_000 < 0 ? 1 : 0)
    difference = Int64(Int32(truncatingIfNeeded: Int64(seconds) - Self.epochDifference - ours))
    time = ours + difference
  }
}

extension TimeAnswer {
  enum Reading: Equatable {
    case time(TimeAnswer)
    case failure(String)
  }

  static func read(_ outcome: SurveyOutcome, within limit: Duration) -> Reading {
    switch outcome {
    case .failed(let reason): return .failure(reason)
    case .answered(let answer):
      let count = answer.bytes.count
      switch answer.ending {
      case .tooLong: return .failure("more than \(count) bytes instead of 4")
      case .unended: return .failure("short answer of \(bytes(count)) within \(Survey.text(of: limit))")
      case .complete where count == 0: return .failure("closed without an answer")
      case .complete where count < 4: return .failure("short answer of \(bytes(count))")
      case .complete where count > 4: return .failure("\(count) bytes instead of 4")
      case .complete:
        let bytes = answer.bytes.withUncheckedBytes { Array($0) }
        return .time(TimeAnswer(bytes, received: answer.received, roundTrip: answer.roundTrip))
      }
    }
  }

  private static func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }
}
