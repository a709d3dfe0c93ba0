import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite struct RateLimitTests {
  @Test(
    "is read and shown",
    arguments: [
      ("50/s", 50, .seconds(1), 12, "50/s"), ("20/m", 20, .seconds(60), 5, "20/m"),
      ("100/h burst 10", 100, .seconds(3600), 10, "100/h burst 10"), ("1/d", 1, .seconds(86_400), 1, "1/d"),
      ("5/s burst 5", 5, .seconds(1), 5, "5/s burst 5"), ("5/s burst 1", 5, .seconds(1), 1, "5/s"),
      ("1000000/s", 1_000_000, .seconds(1), 250_000, "1000000/s"), ("3/h", 3, .seconds(3600), 1, "3/h"),
      ("1/s burst 1000000", 1, .seconds(1), 1_000_000, "1/s burst 1000000"),
      ("  007/s   burst  9 ", 7, .seconds(1), 9, "7/s burst 9"),
    ] as [(String, Int, Duration, Int, String)])
  func isRead(text: String, count: Int, interval: Duration, burst: Int, shown: String) throws {
    let limit = try rate(text)
    #expect(limit.count == count && limit.interval == interval && limit.burst == burst)
    #expect("\(limit)" == shown)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", " ", "/", "5", "5/", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "5/x", "5/S", "5/ms", "5/s/s", "5 /s", "5/ s",
      "5s",
      "5/s burst", "5/s burst 0", "5/s burst -1", "5/s burst x", "5/s burst 1 2", "5/s bursts 1", "5/s 5", "burst 5",
      "5/s Burst 5", "5/s,burst 5", "5/s\nburst 5", "5/s\0", "٥/s", "5/s\u{308}", "none", "unlimited",
      "1000001/s", "5/s burst 1000001", "9223372036854775807/s", "9223372036854775808/s", "99999999999999999999999/s",
      "5/s burst 9223372036854775808",
    ])
  func isNothingElse(text: String) { #expect(RateLimit(text) == nil) }

  @Test("is read again as it was shown")
  func isReadAgain() throws {
    var random = SeededRandom(state: 21)
    for _ in 0..<20_000 {
      func number() -> Int {
        Int.random(in: 1...([1, 10, 1000, 1_000_000].randomElement(using: &random)!), using: &random)
      }
      let seconds = [1, 60, 3600, 86_400].randomElement(using: &random)!
      let count = number()
      let burst = Bool.random(using: &random) ? max(1, count / 4) : number()
      let limit = RateLimit(count: count, interval: .seconds(seconds), burst: burst)
      // What takes more than ten years to fill is none.
      let years = Double(seconds) / Double(count) * Double(burst) / 31_536_000
      if abs(years - 10) > 0.001 { #expect(RateLimit("\(limit)") == (years < 10 ? limit : nil), "\(limit)") }
    }
  }

  @Test("has a bucket that fills within ten years, or is none")
  func fits() throws {
    for text in ["1/d burst 3651", "1/h burst 87601", "1/d burst 1000000", "9/d burst 1000000"] {
      #expect(RateLimit(text) == nil, "\(text)")
    }
    // The largest bursts that are rates: their instants are numbers.
    for text in ["1/d burst 3650", "1/h burst 87600", "365/d burst 1000000", "1/s burst 1000000"] {
      let limit = try rate(text)
      let bucket = TokenBucket(limit)
      let now: Int64 = 1_000_000_000 * second
      var fullAt: Int64 = 0
      for _ in 0..<limit.burst { fullAt = bucket.taking(fullAt: fullAt, now: now) }
      #expect(
        bucket.nextTime(fullAt: fullAt) > now && bucket.nextTime(fullAt: bucket.taking(fullAt: 0, now: now)) <= now)
    }
  }
}

@Suite struct TokenBucketTests {
  @Test(
    "has exactly its burst at once, then one for each spacing",
    arguments: ["20/s burst 7", "40/s", "1/m", "3/s burst 1", "1/s burst 90"])
  func hasItsBurst(text: String) throws {
    let limit = try rate(text)
    let bucket = TokenBucket(limit)
    let spacing = limit.interval.nanoseconds / Int64(limit.count)
    let start: Int64 = 1000 * second
    // Full at a time that is long past, or at this very moment.
    for initial in [0, start] {
      var fullAt = initial
      for taken in 0..<limit.burst {
        #expect(bucket.nextTime(fullAt: fullAt) <= start, "\(taken) taken")
        fullAt = bucket.taking(fullAt: fullAt, now: start)
      }
      for step in 1...5 {
        let due = start + Int64(step) * spacing
        #expect(bucket.nextTime(fullAt: fullAt) == due)
        fullAt = bucket.taking(fullAt: fullAt, now: due)
      }
    }
  }

  @Test("gives in an hour what its rate says, however much more is asked for", arguments: [7, 20, 999])
  func givesItsRate(perSecond: Int) throws {
    let limit = try rate("\(perSecond)/s burst 30")
    let bucket = TokenBucket(limit)
    let start: Int64 = 5000 * second
    var fullAt: Int64 = 0
    var given = 0
    for step in 0..<(3600 * 2000) {
      let now = start + Int64(step) * 500_000
      if bucket.nextTime(fullAt: fullAt) > now { continue }
      fullAt = bucket.taking(fullAt: fullAt, now: now)
      given += 1
    }
    #expect(abs(given - (perSecond * 3600 + 30)) <= 1, "\(given)")
  }

  @Test("is empty at most after its limit has changed")
  func adopts() throws {
    let bucket = TokenBucket(try rate("10/s burst 5"))
    let now = Deadline(instant: 1000 * second)
    for fullAt in [0, 1000 * second, 1000 * second + second / 2] {
      #expect(bucket.adopting(fullAt: Deadline(instant: fullAt), now: now).instant == fullAt)
    }
    for fullAt in [1000 * second + second / 2 + 1, .max] {
      let adopted = bucket.adopting(fullAt: Deadline(instant: fullAt), now: now)
      #expect(adopted.instant == 1000 * second + second / 2)
      #expect(bucket.nextTime(fullAt: adopted).instant == 1000 * second + second / 10)
    }
  }
}
