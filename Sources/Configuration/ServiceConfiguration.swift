import Admission
import ControlProtocol
import UnixIPC

/// The table `[service.NAME.fortune]`.
public struct FortuneConfiguration: Sendable, Hashable {
  /// Absolute paths of files or directories; none means those of the system.
  public var databases: [String] = []
  public var includesOffensive = false
  /// In bytes; nil means any.
  public var maxLength: Int?

  public init() {}
}

/// What a service's program gets.
public enum Handover: Hashable, Sendable {
  /// Each connection: a process of the program for each.
  case connections
  /// Each connection's bytes, by way of a process that watches the time.
  case relayedConnections
  /// The sockets themselves: `wait = true`.
  case sockets
}

/// What a service offers.
public enum Offer: Hashable, Sendable {
  case builtIn(BuiltIn)
  /// The service's `program`.
  case program(Handover)
}

/// The table `[service.NAME]`, what it leaves out taken from `[defaults]` and begat's own defaults.
public struct ServiceConfiguration: Sendable {
  public var name: String
  /// Where its table begins.
  public var place: Place
  public var isEnabled: Bool
  public var offer: Offer
  /// How its program, or its added commands, are executed; no words for a built-in.
  public var program: ProgramSettings
  /// Of the command server.
  public var commands: [AddedCommand]
  public var streams: [ListenAddress]
  public var datagrams: [ListenAddress]
  /// Of the Unix sockets that begatd makes.
  public var socketAccess: UnixSocketFile.Access
  /// Of the internet sockets that begatd binds.
  public var bindOptions: BindOptions
  public var backlog: CInt
  /// Who its listener becomes; nil means whoever begatd is.
  public var identity: Identity?
  /// Without those that have no effect because the program accepts itself.
  public var admission: AdmissionLimits
  /// What `admission` has as `allow`, with the lines that say so, in the same order.
  public var allow: [AccessEntry]
  /// Likewise what is denied.
  public var deny: [AccessEntry]
  /// Said to the refused.
  public var refusal: String?
  public var firstByteTimeout: Duration?
  public var idleTimeout: Duration?
  public var maxDuration: Duration?
  /// Whether peers that are gone without a word are found out.
  public var keepsAlive: Bool
  public var resolvesNames: Bool
  public var log: ConnectionLog
  public var fortune: FortuneConfiguration
  /// Where a key stands that holds for it, by the key's name; begat's own defaults stand nowhere.
  public var origins: [String: Origin]
}

extension ServiceConfiguration {
  /// Nil for a program.
  public var builtIn: BuiltIn? { if case .builtIn(let builtIn) = offer { builtIn } else { nil } }
  /// Whether its program accepts clients itself.
  public var waits: Bool { offer == .program(.sockets) }

  /// What holds for its datagrams, which have default rates of their own; nil when it answers none.
  public var datagramAdmission: AdmissionLimits? {
    guard builtIn != nil, !datagrams.isEmpty else { return nil }
    var options = ListenerOptions()
    options.admission = admission
    return options.datagramAdmission
  }
}
