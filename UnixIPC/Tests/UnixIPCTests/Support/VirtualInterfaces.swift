import UnixIPCTestSupport

/// Whether this process may make networks, and this kernel makes interfaces for them.
let hasVirtualInterfaces: Bool =
  (try? Counterpart("unshare", ["-n", "ip", "link", "add", "d1", "type", "veth", "peer", "name", "e1"]).rest()) == ""
