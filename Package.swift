// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Targets stand bottom-up; arrows point down only.  The data plane (UnixIPC, NetworkServices, ForkingServer,
// begat-listener) forks: no Foundation, no Dispatch, no async there.

let environment = ProcessInfo.processInfo.environment

/// `BEGAT_LISTENER=dynamic` drops the static link, for sanitizer builds, which cannot be static.
/// `BEGAT_LISTENER=pie` adds address randomisation; it needs `swift build --disable-local-rpath` as well, because the C
/// library of a static PIE refuses to start with a run path.  The Makefile gives both.
let staticLink: [String] =
  switch environment["BEGAT_LISTENER"] {
  case "dynamic": []
  case "pie":
    [
      "-static-executable", "-use-ld=lld", "-Xclang-linker", "-static-pie",
      // Relative relocations in a bitmap, half a megabyte less; the C library knows them since 2.36.
      "-Xlinker", "--pack-dyn-relocs=relr",
    ]
  default: ["-static-executable", "-use-ld=lld"]
  }
/// The functions that run for each connection, side by side (Benchmarks/hot-functions).  Swift's own can only be moved
/// when compiled with `-Xfrontend -function-sections`, as the Makefile does: a library must not ask for such flags.
let hotFunctions = [
  "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/begat-listener/hot-functions.txt",
  "-Xlinker", "--no-warn-symbol-ordering",
]
/// The places of constants and of the variables that each fork reads; lld reads it as a script.
let dataLayout = ["-Xlinker", "\(Context.packageDirectory)/Sources/begat-listener/layout.ld"]
let staticCompile = staticLink.isEmpty ? [] : ["-static-executable"]

/// lld keeps quiet about mktemp(3), which Foundation mentions and nothing here calls.
///
/// Relative relocations in a bitmap: half a megabyte less.  A C library before 2.36 refuses to load such a program.
let plainLink: [LinkerSetting] = [
  .unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"])
]

let unixCore = Target.Dependency.product(name: "UnixCore", package: "UnixIPC")
let unixIPC = Target.Dependency.product(name: "UnixIPC", package: "UnixIPC")
let nameService = Target.Dependency.product(name: "NameService", package: "UnixIPC")

let package = Package(
  name: "begat",
  products: [
    .executable(name: "begatd", targets: ["begatd"]),
    .executable(name: "begat-listener", targets: ["begat-listener"]),
    .executable(name: "begat", targets: ["begat"]),
  ],
  dependencies: [
    // The library, a package of its own in this repository.
    .package(path: "UnixIPC"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // C: only what Swift cannot call, and the layouts that two programs map.
    .target(name: "CSharedLayouts"),
    // Linked into the programs, never into the library.
    .target(name: "CProgramStart"),
    // Memory of the static program; a dynamic one is linked with it too and has its own heap.
    .target(name: "CProgramImage"),
    .target(name: "CCurl"),
    .target(name: "CTLS"),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(name: "CConfinement"),

    // No Foundation, so that the listener may link it.
    .target(name: "JSON", dependencies: [unixCore]),

    // Privileges of a process: taken away from listeners, and asked of the kernel by tools.
    .target(name: "Confinement", dependencies: [unixCore, "CConfinement"]),
    // For the listener alone: it links libseccomp's static library, and no other program needs it.
    .target(name: "CallFilters", dependencies: [unixCore, "CConfinement", "CSeccomp"]),

    // Who may connect: decided by listeners, explained by tools.
    .target(name: "Admission", dependencies: [unixCore, "CSharedLayouts"]),

    // The header by which a proxy names its client: read by listeners, sent by tools.
    .target(name: "ProxyProtocol", dependencies: [unixCore]),

    // Every key once, with its default, its syntax and the rules about it: read in files and on command lines.
    .target(name: "Settings", dependencies: [unixCore, "Admission", "ProxyProtocol"]),

    // Renders the annotated configuration and its manual page from the keys.
    .target(name: "References", dependencies: ["Settings"]),
    .executableTarget(name: "write-references", dependencies: ["References", unixCore]),

    // Shared by the daemon, the listener and the tools.
    .target(name: "ControlProtocol", dependencies: [unixCore, "CSharedLayouts", "Admission", "Settings"]),

    // The state of begatd, its services and their connections, as values: made from scoreboards, shown by programs.
    .target(
      name: "Monitoring",
      dependencies: ["JSON", "ControlProtocol", "CSharedLayouts", "Settings", "Admission", unixCore]),

    // The language of the control sockets: spoken by the daemon and the tools.
    .target(name: "Control", dependencies: ["Monitoring", "JSON", "Admission", "Settings", unixCore]),

    // Data plane.
    .target(name: "NetworkServices", dependencies: [unixCore]),
    // The built-in service that shows begatd's state: it has layers of its own below it.
    .target(name: "StatusService", dependencies: ["NetworkServices", "Monitoring", "JSON", unixCore]),
    // The same state in a line, for HAProxy.
    .target(
      name: "AgentService", dependencies: ["NetworkServices", "Monitoring", "ControlProtocol", "Settings", unixCore]),
    .target(
      name: "ForkingServer",
      dependencies: [
        "NetworkServices", "StatusService", "AgentService", "Monitoring", "ControlProtocol", "Settings", "Admission",
        "CSharedLayouts", "Confinement", "CallFilters", "ProxyProtocol", unixCore,
      ]),

    // Control plane.
    .target(name: "TOML"),
    .target(
      name: "Configuration",
      dependencies: ["TOML", "Settings", "Admission", "Confinement", "JSON", nameService, unixCore],
      resources: [.embedInCode("begatd.toml")]),
    .target(
      name: "Supervision",
      dependencies: [
        "Configuration", "Settings", "Control", "Monitoring", "JSON", "ControlProtocol", "CSharedLayouts",
        "NetworkServices", "Admission", "Confinement", nameService, unixCore,
        .product(name: "Logging", package: "swift-log"),
      ]),

    // What people type.
    .target(
      name: "Clients",
      dependencies: [
        nameService, "ProxyProtocol", "Settings", "JSON", "NetworkServices", "Confinement", unixCore, unixIPC,
        "CCurl", "CTLS",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .target(
      name: "Administration",
      dependencies: [
        "Configuration", "ProxyProtocol", "Control", "Monitoring", "JSON", "Admission", "Settings", unixCore, unixIPC,
      ]),

    // Executables: arguments, then one call.
    .executableTarget(
      name: "begatd",
      dependencies: [
        "Supervision", "Administration", "Settings", "CProgramStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      linkerSettings: plainLink),
    .executableTarget(
      name: "begat-listener",
      dependencies: ["ForkingServer", unixCore, "CProgramStart", "CProgramImage"],
      exclude: ["hot-functions.txt", "layout.ld"],
      swiftSettings: [.unsafeFlags(staticCompile)],
      linkerSettings: [.unsafeFlags(staticLink + (staticLink.isEmpty ? [] : hotFunctions + dataLayout))]),
    .executableTarget(
      name: "begat",
      dependencies: [
        "Administration", "Clients", "Control", "Monitoring", "Admission", "Settings", nameService, unixCore, unixIPC,
        "CProgramStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], linkerSettings: plainLink),

    // Tests.
    .target(name: "TestSupport", dependencies: [unixCore], path: "UnixIPC/Tests/TestSupport"),
    .testTarget(name: "AdmissionTests", dependencies: ["Admission", "CSharedLayouts", unixCore, "TestSupport"]),
    .testTarget(name: "ConfinementTests", dependencies: ["Confinement", "CallFilters", unixCore]),
    .testTarget(name: "JSONTests", dependencies: ["JSON", unixCore]),
    .testTarget(
      name: "MonitoringTests",
      dependencies: [
        "Monitoring", "JSON", "ControlProtocol", "CSharedLayouts", "Settings", "Admission", unixCore, "TestSupport",
      ]),
    .testTarget(
      name: "ControlTests", dependencies: ["Control", "Monitoring", "JSON", "Admission", unixCore, "TestSupport"]),
    .testTarget(name: "NetworkServicesTests", dependencies: ["NetworkServices", unixCore, "TestSupport"]),
    .testTarget(
      name: "StatusServiceTests",
      dependencies: ["StatusService", "Monitoring", "ControlProtocol", "CSharedLayouts", unixCore, "TestSupport"]),
    .testTarget(
      name: "AgentServiceTests",
      dependencies: [
        "AgentService", "NetworkServices", "Monitoring", "ControlProtocol", "CSharedLayouts", "Settings", unixCore,
        "TestSupport",
      ]),
    .testTarget(
      name: "SettingsTests", dependencies: ["Settings", "References", "TOML", "Admission", unixCore, "TestSupport"]),
    .testTarget(
      name: "ControlProtocolTests",
      dependencies: ["ControlProtocol", "Admission", "CSharedLayouts", "Settings", unixCore, "TestSupport"]),
    .testTarget(
      name: "ForkingServerTests",
      dependencies: [
        "ForkingServer", "NetworkServices", "ControlProtocol", "Settings", "Admission", "CSharedLayouts", unixCore,
        "TestSupport",
      ]),
    // Parsers, compared with other parsers over many inputs.
    .target(name: "ProbeComparison", path: "Tests/ProbeComparison"),
    .executableTarget(name: "proxy-probe", dependencies: ["ProxyProtocol", unixCore], path: "Tests/ProxyProbe"),
    .testTarget(
      name: "ProxyProtocolTests", dependencies: ["ProxyProtocol", unixCore, "ProbeComparison"],
      exclude: ["compare-with-python.py", "generated_headers.py"]),
    .executableTarget(name: "toml-probe", dependencies: ["TOML"], path: "Tests/TOMLProbe"),
    .testTarget(
      name: "TOMLTests", dependencies: ["TOML", "TestSupport", "ProbeComparison"],
      exclude: ["compare-with-tomllib.py"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: [
        "Configuration", "Confinement", "References", "Settings", nameService, "Admission", unixCore, "TestSupport",
      ]),
    // Every key in every circumstance, by both of its readers.
    .testTarget(
      name: "SchemaTests",
      dependencies: ["Settings", "Configuration", "Supervision", "ForkingServer", "Admission", unixCore]),
    .testTarget(
      name: "AdministrationTests",
      dependencies: ["Administration", "Control", "Monitoring", "JSON", "Admission", unixCore, unixIPC, "TestSupport"]),
    .testTarget(
      name: "SupervisionTests",
      dependencies: [
        "Supervision", "Control", "ControlProtocol", "CSharedLayouts", "Monitoring", "JSON", "Configuration",
        "Settings",
        "Admission", unixCore, "TestSupport", .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "ClientsTests",
      dependencies: ["Clients", "ProxyProtocol", "JSON", nameService, unixCore, unixIPC, "TestSupport"]),
    // A kernel that lacks system calls, and an attacker in a live process.
    .executableTarget(name: "without-calls", dependencies: ["CSeccomp"], path: "Tests/WithoutCalls"),
    .executableTarget(name: "call-probe", dependencies: ["CSeccomp"], path: "Tests/CallProbe"),
    // A listener of another version.
    .executableTarget(name: "other-listener", dependencies: ["CSharedLayouts"], path: "Tests/OtherListener"),
    // The built programs, started as programs and spoken to by real clients.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Clients", "Confinement", "ControlProtocol", "CSharedLayouts", "Admission", unixCore, unixIPC,
      ]),
  ],
  swiftLanguageModes: [.v6]
)
