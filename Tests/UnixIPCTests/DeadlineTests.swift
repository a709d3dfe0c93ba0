import Testing

@testable import UnixIPC

@Suite struct DeadlineTests {
  @Test("counts from now")
  func countsFromNow() {
    let deadline = Deadline(after: .seconds(100))
    #expect(!deadline.hasPassed)
    #expect((99_000...100_000).contains(deadline.milliseconds))
    #expect(deadline < .never)
  }

  @Test("never comes where there is no limit")
  func neverComes() {
    #expect(Deadline(after: nil) == .never)
    #expect(!Deadline.never.hasPassed)
    #expect(Deadline.never.left == nil)
    #expect(Deadline.never.milliseconds == -1)
  }

  @Test("has passed", arguments: [Duration.zero, .seconds(-5), .seconds(Int64.min)])
  func hasPassed(limit: Duration) {
    let deadline = Deadline(after: limit)
    #expect(deadline.hasPassed)
    #expect(deadline.left == .zero)
    #expect(deadline.milliseconds == 0)
  }

  @Test("moves by a duration, and tells how far another one is")
  func moves() {
    let start = Deadline(instant: 5_000_000_000)
    #expect(start.advanced(by: .milliseconds(1)) == Deadline(instant: 5_001_000_000))
    #expect(start.advanced(by: .seconds(-6)) == Deadline(instant: -1_000_000_000))
    #expect(start.duration(to: start.advanced(by: .seconds(7))) == .seconds(7))
    #expect(start.duration(to: Deadline(instant: 0)) == .seconds(-5))
  }

  @Test("neither passes the end of time nor comes back from it")
  func staysWithinTime() {
    let late = Deadline(instant: .max - 1)
    #expect(late.advanced(by: .seconds(1)) == .never)
    #expect(Deadline(instant: .min + 1).advanced(by: .seconds(-1)) == Deadline(instant: .min))
    #expect(Deadline.now.advanced(by: .seconds(Int64.max)) < .never)
    #expect(Deadline.never.advanced(by: .seconds(-1)) == .never)
    #expect(Deadline(instant: -2).duration(to: .never) == .nanoseconds(Int64.max))
    #expect(Deadline.never.duration(to: Deadline(instant: -2)) == .nanoseconds(Int64.min))
    #expect(Deadline.now.duration(to: .now) >= .zero)
  }

  @Test("is rounded up to milliseconds, and cut to what poll takes")
  func isRoundedUp() {
    #expect(Deadline(after: .seconds(Int64.max)).milliseconds == .max)
    #expect(Deadline(instant: .max - 1).milliseconds == .max && Deadline(instant: .min).milliseconds == 0)
    #expect(Deadline(instant: Clock.monotonic() + 900_000).milliseconds == 1)
  }
}
