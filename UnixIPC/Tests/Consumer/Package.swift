// swift-tools-version: 6.1
import PackageDescription

// A program that somebody else might write: it knows the library's products, and nothing more.
let package = Package(
  name: "consumer",
  dependencies: [.package(name: "UnixIPC", path: "../..")],
  targets: [
    .executableTarget(
      name: "consumer",
      dependencies: [
        .product(name: "UnixIPC", package: "UnixIPC"), .product(name: "NameService", package: "UnixIPC"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
