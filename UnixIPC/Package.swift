// swift-tools-version: 6.2
import PackageDescription

// The library of begat, and of any other program: Unix processes, signals, pipes, sockets and terminals.  It depends on
// nothing but the C library.  Targets stand bottom-up; arrows point down only.
let package = Package(
  name: "UnixIPC",
  products: [
    // Everything: importing UnixIPC imports UnixCore as well.
    .library(name: "UnixIPC", targets: ["UnixIPC"]),
    // The ground alone, for a program that counts its bytes.
    .library(name: "UnixCore", targets: ["UnixCore"]),
    // Host and user names, which the C library may load modules for: not for a static program.
    .library(name: "NameService", targets: ["NameService"]),
  ],
  targets: [
    // C: only what Swift cannot call, and the code between fork and exec.
    .target(name: "CPlatform"),

    // Descriptors, sockets, processes, signals, time, memory.
    .target(name: "UnixCore", dependencies: ["CPlatform"]),

    // Built on them: conversations, terminals, FIFOs, System V IPC.
    .target(name: "UnixIPC", dependencies: ["UnixCore", "CPlatform"]),

    .target(name: "NameService", dependencies: ["UnixCore"]),

    // Tests.
    .target(name: "UnixIPCTestSupport", dependencies: ["UnixCore"], path: "Tests/TestSupport"),
    .testTarget(name: "UnixIPCTests", dependencies: ["UnixIPC", "UnixCore", "UnixIPCTestSupport"]),
    .testTarget(name: "NameServiceTests", dependencies: ["NameService", "UnixIPC", "UnixCore", "UnixIPCTestSupport"]),
    // What forks is tried in a program of its own: a test's process has threads.
    .executableTarget(
      name: "process-probe", dependencies: ["UnixIPC", "UnixCore", "NameService", "CPlatform", "UnixIPCTestSupport"],
      path: "Tests/ProcessProbe"),
    // And one whose first thread belongs to Swift's concurrency.
    .executableTarget(
      name: "async-probe", dependencies: ["UnixCore", "UnixIPCTestSupport"], path: "Tests/AsyncProbe"),
  ],
  swiftLanguageModes: [.v6]
)
