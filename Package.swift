// swift-tools-version: 6.1
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
let staticCompile = staticLink.isEmpty ? [] : ["-static-executable"]

/// lld keeps quiet about mktemp(3), which Foundation mentions and nothing here calls.
///
/// Relative relocations in a bitmap: half a megabyte less.  A C library before 2.36 refuses to load such a program.
let plainLink: [LinkerSetting] = [
  .unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"])
]

let package = Package(
  name: "begat",
  products: [
    .library(name: "UnixIPC", targets: ["UnixIPC", "NameService"]),
    .executable(name: "begatd", targets: ["begatd"]),
    .executable(name: "begat-listener", targets: ["begat-listener"]),
    .executable(name: "begat", targets: ["begat"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    // For `make docs` only.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // C: only what Swift cannot call, and the layouts that two programs map.
    .target(name: "CPlatform"),
    .target(name: "CSharedLayouts"),
    // Linked into the programs, never into the library.
    .target(name: "CProgramStart"),
    .target(name: "CCurl"),
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),

    // The library product.
    .target(name: "UnixIPC", dependencies: ["CPlatform"]),

    // Who may connect: decided by listeners, explained by tools.
    .target(name: "Admission", dependencies: ["UnixIPC"]),

    // Every key once, with its default, its syntax and the rules about it: read in files and on command lines.
    .target(name: "Settings", dependencies: ["UnixIPC", "Admission"]),

    // Renders the annotated configuration and its manual page from the keys.
    .target(name: "References", dependencies: ["Settings"]),
    .executableTarget(name: "write-references", dependencies: ["References", "UnixIPC"]),

    // Shared by the daemon, the listener and the tools.
    .target(name: "ControlProtocol", dependencies: ["UnixIPC", "CSharedLayouts", "Admission", "Settings"]),

    // Data plane.
    .target(name: "NetworkServices", dependencies: ["UnixIPC"]),
    .target(
      name: "ForkingServer",
      dependencies: ["NetworkServices", "ControlProtocol", "Settings", "Admission", "CSharedLayouts", "UnixIPC"]),

    // Control plane.
    .target(name: "TOML"),
    .target(name: "NameService", dependencies: ["UnixIPC"]),
    .target(
      name: "Configuration", dependencies: ["TOML", "Settings", "Admission", "NameService", "UnixIPC"],
      resources: [.embedInCode("begatd.toml")]),
    .target(
      name: "Supervision",
      dependencies: [
        "Configuration", "Settings", "ControlProtocol", "NameService", "UnixIPC", "CSystemd",
        .product(name: "Logging", package: "swift-log"),
      ]),

    // What people type.
    .target(
      name: "Clients",
      dependencies: [
        "NameService", "Settings", "NetworkServices", "UnixIPC", "CCurl",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .target(name: "Administration", dependencies: ["Configuration", "UnixIPC"]),

    // Executables: arguments, then one call.
    .executableTarget(
      name: "begatd",
      dependencies: [
        "Supervision", "Administration", "Settings", "CProgramStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      linkerSettings: plainLink),
    .executableTarget(
      name: "begat-listener", dependencies: ["ForkingServer", "UnixIPC", "CProgramStart"],
      exclude: ["hot-functions.txt"],
      swiftSettings: [.unsafeFlags(staticCompile)],
      linkerSettings: [.unsafeFlags(staticLink + (staticLink.isEmpty ? [] : hotFunctions))]),
    .executableTarget(
      name: "begat",
      dependencies: [
        "Administration", "Clients", "Settings", "NameService", "UnixIPC", "CProgramStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], linkerSettings: plainLink),

    // Tests.
    .target(name: "TestSupport", dependencies: ["UnixIPC"], path: "Tests/TestSupport"),
    .testTarget(name: "UnixIPCTests", dependencies: ["UnixIPC", "TestSupport"]),
    .testTarget(name: "NameServiceTests", dependencies: ["NameService", "UnixIPC", "TestSupport"]),
    .testTarget(name: "AdmissionTests", dependencies: ["Admission", "UnixIPC", "TestSupport"]),
    .testTarget(name: "NetworkServicesTests", dependencies: ["NetworkServices", "UnixIPC", "TestSupport"]),
    .testTarget(
      name: "SettingsTests", dependencies: ["Settings", "References", "TOML", "Admission", "UnixIPC", "TestSupport"]),
    .testTarget(
      name: "ControlProtocolTests",
      dependencies: ["ControlProtocol", "Admission", "CSharedLayouts", "Settings", "UnixIPC", "TestSupport"]),
    .testTarget(
      name: "ForkingServerTests",
      dependencies: [
        "ForkingServer", "NetworkServices", "ControlProtocol", "Settings", "Admission", "CSharedLayouts", "UnixIPC",
        "TestSupport",
      ]),
    .executableTarget(name: "toml-probe", dependencies: ["TOML"], path: "Tests/TOMLProbe"),
    .testTarget(name: "TOMLTests", dependencies: ["TOML", "TestSupport"], exclude: ["compare-with-tomllib.py"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: ["Configuration", "References", "Settings", "NameService", "Admission", "UnixIPC", "TestSupport"]),
    // Every key in every circumstance, by both of its readers.
    .testTarget(
      name: "SchemaTests",
      dependencies: ["Settings", "Configuration", "Supervision", "ForkingServer", "Admission", "UnixIPC"]),
    .testTarget(name: "SupervisionTests", dependencies: ["Supervision", "UnixIPC"]),
    .testTarget(name: "ClientsTests", dependencies: ["Clients", "NameService", "UnixIPC", "TestSupport"]),
    // What forks is tried in a program of its own: a test's process has threads.
    .executableTarget(name: "process-probe", dependencies: ["UnixIPC", "NameService"], path: "Tests/ProcessProbe"),
    // The built programs, started as programs and spoken to by real clients.
    .testTarget(name: "EndToEndTests", dependencies: ["UnixIPC"]),
  ],
  swiftLanguageModes: [.v6]
)
