import Admission
import ProxyProtocol
@_spi(Begat) import UnixCore

/// The settings of a service, each with its default: the table `[service.NAME]`, and the options of begat-listener.
///
/// A property is named like its key.  Texts that only the machine can give a meaning, such as users and addresses, are
/// kept as written.
public struct ServiceSettings: SettingsTable {
  public var enabled = true
  public var serve: BuiltIn?
  /// The absolute path and the arguments of a program, as they are handed over: no shell looks at them.
  public var exec: [String] = []
  public var relay = false
  public var wait = false

  public var listenStream: [String] = []
  public var listenDatagram: [String] = []
  public var socketMode: UInt32 = UnixSocketFile.Access().mode
  public var socketUser: String?
  public var socketGroup: String?
  public var backlog: CInt = 4096
  public var freeBind = false
  public var bindToDevice: String?
  public var keepAlive = true

  public var user: String?
  public var group: String?
  public var sandbox = Sandbox.on

  /// Nil admits every client; an empty list none.
  public var allow: [String]?
  public var deny: [String] = []
  public var denyExempt: [String] = []
  public var rate = RateSetting.standard
  public var ratePerSource = RateSetting.standard
  /// The limits of admission; its lists of peers are filled when those of the settings are resolved, its rates by
  /// `effective(in:)`.
  public var admission = AdmissionLimits()
  /// The maximum number of processes that wait for clients; 0 for none.
  public var spareProcesses = 4
  /// The same where it has an effect, and not more than `max-connections`: set by `effective(in:)`.
  public private(set) var spareSlots = 0
  /// The proxies that name their clients; none if clients connect directly.
  public var proxyFrom: [String] = []
  /// How long a proxy's header may take.
  public var proxyTimeout: Duration = .seconds(5)
  public var proxyVersion = ProxyVersion.any
  /// A line for refused clients, sent without waiting for them; nil for none.
  public var refusal: String?

  public var firstByteTimeout: Duration?
  public var idleTimeout: Duration? = .seconds(600)
  /// The time for the client's first byte; of `status`, for the whole head of a request.  Nil is no limit.
  public var firstByteLimit: Duration? { firstByteTimeout ?? (serve == .status ? Self.requestTimeout : nil) }
  /// How long a client of `status` may take unless it is set.
  public static let requestTimeout = Duration.seconds(5)
  public var maxDuration: Duration?

  public var program = ProgramSettings()
  public var commands: [AddedCommand] = []
  public var fortune = FortuneSettings()
  /// Whether the status page shows clients' addresses.
  public var showPeers = false
  /// Names by which the status page may be asked for.
  public var serverNames: [String] = []
  /// The weight that the agent reports to HAProxy.
  public var weight = AgentWeight.full
  /// Nil stands for true if the service greets hosts by name.
  public var resolveNames: Bool?
  public var log = ConnectionLog.connections
  public var logAddress = LogAddress.full
  public var logRate = RateSetting.at(RateLimit.records)

  public init() {}

  public static let standard = ServiceSettings()

  /// What is offered; nil if the settings name nothing.
  public var offer: ServiceOffer? {
    if let serve { return .builtIn(serve) }
    if exec.isEmpty { return nil }
    return .program(wait ? .sockets : relay ? .relayedConnections : .connections)
  }

  /// How many processes may be shown: one for each connection, and spares.
  public var slotCount: Int { admission.maxConnections + spareSlots }

  /// Whether every client comes through a proxy.
  public var requiresProxies: Bool { !proxyFrom.isEmpty }

  public var bindOptions: BindOptions { BindOptions(allowsNonlocalAddress: freeBind, device: bindToDevice) }
  public var looksUpNames: Bool { resolveNames ?? (serve == .hello) }

  /// How many connections have a line of their own; nil for all.
  public var logRateLimit: RateLimit? { logRate.limit(standard: .records) }

  /// The limits of datagrams, which have a default rate of their own.
  public var datagramAdmission: AdmissionLimits {
    var limits = admission
    limits.rate = rate.limit(standard: .datagrams)
    limits.ratePerSource = ratePerSource.limit(standard: .datagramsPerSource)
    limits.whenFull = .refuse
    return limits
  }
}

extension ServiceSettings {
  /// The settings that have an effect; the others at their defaults.
  ///
  /// - Parameter said: names of the keys that may have another value than their default; nil for all.
  public func effective(in mode: ServiceMode, said: Set<String>? = nil) -> ServiceSettings {
    var settings = self
    for key in Self.keys where said?.contains(key.name) ?? true {
      if !key.isDefault(in: self), key.reasonWithoutEffect(self, mode) != nil { key.reset(in: &settings) }
    }
    let hasSpares = Self.key(named: "spare-processes")?.reasonWithoutEffect(settings, mode) == nil
    // More could never serve at the same time.
    settings.spareSlots = hasSpares ? min(settings.spareProcesses, settings.admission.maxConnections) : 0
    settings.admission.rate = settings.rate.limit(standard: mode.handover == .sockets ? .starts : nil)
    settings.admission.ratePerSource = settings.ratePerSource.limit(standard: nil)
    if settings.allow == nil { settings.admission.allow = nil }
    if settings.deny.isEmpty { settings.admission.deny = [] }
    if settings.denyExempt.isEmpty { settings.admission.denyExempt = [] }
    if settings.proxyFrom.isEmpty { settings.admission.proxies = [] }
    return settings
  }
}

/// The table `[service.NAME.fortune]`.
public struct FortuneSettings: Hashable, Sendable {
  /// Absolute paths of files or directories; none stands for those of the system.
  public var databases: [String] = []
  public var offensive = false
  /// In bytes; nil for any length.
  public var maxLength: Int?

  public init() {}
}
