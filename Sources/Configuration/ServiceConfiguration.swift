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

/// The table `[service.NAME]`, what it leaves out taken from `[defaults]` and begat's own defaults.
public struct ServiceConfiguration: Sendable {
  public var name: String
  /// Where its table begins.
  public var place: Place
  public var isEnabled: Bool
  public var serve: BuiltIn
  public var streams: [ListenAddress]
  public var datagrams: [ListenAddress]
  /// Of the Unix sockets that begatd makes.
  public var socketAccess: UnixSocketFile.Access
  public var backlog: CInt
  /// Who its listener becomes; nil means whoever begatd is.
  public var identity: Identity?
  public var maxConnections: Int
  public var firstByteTimeout: Duration?
  public var idleTimeout: Duration?
  /// Whether peers that are gone without a word are found out.
  public var keepsAlive: Bool
  public var resolvesNames: Bool
  public var log: ConnectionLog
  public var fortune: FortuneConfiguration
}
