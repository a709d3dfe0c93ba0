import Testing

@testable import Supervision

/// Reloads that are asked for while one runs.
@Suite(.timeLimit(.minutes(30))) struct ReloadQueueTests {
  @Test func theFirstStartsImmediately() {
    var queue = ReloadQueue<Int>()
    #expect(queue.startTime == nil)
    queue.ask(1)
    #expect(queue.startTime == 0)
    queue.start(at: 5)
    #expect(queue.running == [1])
    #expect(queue.finish() == [1])
    #expect(queue.running == nil && queue.startTime == nil)
  }

  @Test func thoseWhoAskMeanwhileShareTheNext() {
    var queue = ReloadQueue<Int>()
    queue.ask(1)
    queue.start(at: 0)
    for asker in 2...1000 { queue.ask(asker) }
    // Not while one runs.
    #expect(queue.startTime == nil)
    #expect(queue.finish() == [1])
    #expect(queue.startTime == ReloadQueue<Int>.interval)
    queue.start(at: ReloadQueue<Int>.interval)
    #expect(queue.pending == nil)
    #expect(queue.finish() == Array(2...1000))
    #expect(queue.startTime == nil)
  }

  @Test func aStormRunsFewOfThem() {
    var queue = ReloadQueue<Int>()
    var runs = 0
    // One request in 4 ms, for 4 s; each reload takes 30 ms.
    for now in stride(from: Int64(0), to: 4_000_000_000, by: 4_000_000) {
      queue.ask(0)
      if queue.running != nil { _ = queue.finish() }
      guard let due = queue.startTime, due <= now else { continue }
      queue.start(at: now)
      runs += 1
    }
    #expect((16...17).contains(runs))
  }

  /// It changes nothing, and keeps no reload away either.
  @Test func aDryRunNeedNotWait() {
    var queue = ReloadQueue<Int>()
    queue.ask(1)
    queue.start(at: 100)
    _ = queue.finish()
    queue.ask(2, isSpaced: false)
    #expect(queue.startTime == 0)
    queue.start(at: 101)
    _ = queue.finish()
    // The distance counts from the last that was no dry run.
    queue.ask(3, isSpaced: false)
    queue.ask(4)
    #expect(queue.startTime == 100 + ReloadQueue<Int>.interval)
    queue.start(at: 100 + ReloadQueue<Int>.interval)
    #expect(queue.finish() == [3, 4])
  }
}
