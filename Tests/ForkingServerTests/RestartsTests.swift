import Testing

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) struct RestartsTests {
  private let instant: Duration = .milliseconds(2)

  @Test("never slows down a program that took a client, or may have", arguments: [true, false])
  func leavesSoundProgramsAlone(isSuccess: Bool) {
    var restarts = Restarts(startsInVain: Restarts.mostOfStreams)
    for count in 0..<1000 {
      let verdict: WaitingClients.Verdict = count % 3 == 0 ? .someTaken : .unknown
      let pause = restarts.pause(after: verdict, isSuccess: isSuccess, age: instant)
      #expect(pause.delay == .zero && pause.news == nil)
    }
  }

  @Test("slows down a program that takes nobody, and says so once")
  func slowsDownLoops() {
    var restarts = Restarts(startsInVain: 20)
    for _ in 1..<20 { #expect(restarts.pause(after: .noneTaken, isSuccess: true, age: instant) == (.zero, nil)) }
    #expect(restarts.pause(after: .noneTaken, isSuccess: true, age: instant) == (.milliseconds(100), .looping))
    #expect(restarts.pause(after: .noneTaken, isSuccess: true, age: instant) == (.milliseconds(200), nil))
    for _ in 0..<20 { _ = restarts.pause(after: .noneTaken, isSuccess: true, age: instant) }
    #expect(restarts.pause(after: .noneTaken, isSuccess: true, age: instant) == (.seconds(10), nil))
  }

  @Test("says it again only after a program has taken a client")
  func saysItOncePerLoop() {
    var restarts = Restarts(startsInVain: 20)
    var said = 0
    for verdict in [WaitingClients.Verdict.unknown, .unknown, .someTaken, .unknown] {
      for _ in 0..<30 where restarts.pause(after: .noneTaken, isSuccess: true, age: instant).news == .looping {
        said += 1
      }
      _ = restarts.pause(after: verdict, isSuccess: true, age: instant)
    }
    #expect(said == 2)
  }

  @Test("waits longer and longer for a program that fails and takes nobody")
  func slowsDownFailures() {
    var restarts = Restarts(startsInVain: Restarts.mostOfStreams)
    for delay: Duration in [.milliseconds(100), .milliseconds(200), .milliseconds(400)] {
      #expect(restarts.pause(after: .noneTaken, isSuccess: false, age: instant) == (delay, .failing))
    }
    // One that has lived for a while is tried at once.
    #expect(restarts.pause(after: .noneTaken, isSuccess: false, age: .seconds(2)) == (.zero, nil))
  }

  @Test("hardly slows down failures of equal datagrams, which may share a time stamp")
  func allowsForSegments() {
    var restarts = Restarts(startsInVain: Restarts.mostOfDatagrams)
    for _ in 0..<128 {
      #expect(restarts.pause(after: .noneTaken, isSuccess: false, age: instant).delay <= .milliseconds(100))
    }
  }
}
