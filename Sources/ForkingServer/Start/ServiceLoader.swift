import ControlProtocol
import NetworkServices
import UnixIPC

/// A service with all that it needs of the machine read.
struct LoadedService {
  let stream: any NetworkService
  /// The same service, where it is defined for datagrams.
  let datagram: (any DatagramService)?

  /// - Parameter warn: is told what could not be read.
  init(_ builtIn: BuiltIn, options: ListenerOptions, warn: (String) -> Void) throws(CallFailure) {
    CalendarTime.readTimeZone()
    func fortunes() throws(CallFailure) -> FortuneCollection {
      try FortuneLoader(
        databases: options.databases, includesOffensive: options.offensive, longest: options.maxLength
      ).load(warn: warn)
    }
    switch builtIn {
    case .hello: self.init(stream: HelloService(fortunes: try fortunes()))
    case .fortune: self.init(both: FortuneService(fortunes: try fortunes()))
    case .daytime: self.init(both: DaytimeService())
    case .time: self.init(both: TimeService())
    case .echo: self.init(both: EchoService())
    case .discard: self.init(both: DiscardService())
    case .chargen: self.init(both: ChargenService())
    case .command:
      self.init(
        stream: CommandService(fortunes: try fortunes(), messageOfTheDay: MessageOfTheDay.read()))
    }
  }

  private init(stream: any NetworkService) {
    self.stream = stream
    datagram = nil
  }

  private init(both service: any DatagramService) {
    stream = service
    datagram = service
  }
}
