import Confinement
import Testing

@Suite struct KernelSupportTests {
  @Test("asks this kernel, which has filters")
  func current() { #expect(KernelSupport.current.takesFilters) }

  @Test(
    "says what an older Landlock does not restrict",
    arguments: [(1, "TCP"), (3, "TCP"), (4, "signals"), (5, "signals")])
  func olderLandlock(_ version: Int, _ unrestricted: String) {
    let support = KernelSupport(landlockVersion: version, takesFilters: true)
    #expect(support.missingRequirement == nil, "it restricts files")
    #expect(support.warnings.count == 1)
    #expect(support.warnings[0].hasPrefix("sandbox: Landlock \(version) of this kernel"))
    #expect(support.warnings[0].contains(unrestricted))
  }

  @Test("has nothing to say about a kernel that has everything")
  func complete() {
    let support = KernelSupport(landlockVersion: 6, takesFilters: true)
    #expect(support.warnings.isEmpty && support.missingRequirement == nil)
  }

  @Test("misses a requirement without Landlock or without filters", arguments: [(0, true), (7, false), (0, false)])
  func incomplete(_ version: Int, _ takesFilters: Bool) {
    let support = KernelSupport(landlockVersion: version, takesFilters: takesFilters)
    #expect(support.missingRequirement != nil)
    #expect(support.warnings.count == (version == 0 ? 1 : 0) + (takesFilters ? 0 : 1))
  }
}
