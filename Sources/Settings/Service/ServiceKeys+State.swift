/// Keys of the services that show begatd's state.
extension ServiceSettings {
  static let statusGroup = KeyGroup<ServiceSettings>(
    title: "Status page",
    introduction: """
      For status, which answers requests of HTTP/1.1 for / (a page), /metrics (for Prometheus), /status.json, /healthz and \
      /readyz.
      """,
    keys: [
      Key(
        "show-peers", \.showPeers, .boolean,
        "show open connections with clients' addresses, and denied networks, in / and /status.json", when: [.status],
        details: """
          Everyone who may connect then sees who is connected.  At most 500 connections are shown, with as much of their \
          clients' addresses as log-address of their services allows.  /metrics never has an address.
          """),
      Key(
        "server-names", \.serverNames, .list(of: "names", .hostName),
        "names of this server by which browsers may ask for the page, besides addresses and localhost", when: [.status],
        details: """
          A request for another name is answered with status 421: the page of another site could have its own name \
          resolved to this server (DNS rebinding), and read the answer.  Requests through a Unix socket are not checked.
          """),
    ])

  static let agentGroup = KeyGroup<ServiceSettings>(
    title: "HAProxy's agent check",
    introduction: """
      For haproxy-agent, which answers with one line: "ready up 100%", "drain" from the announcement of a stop or \
      drain on, or "stopped" with a reason.  HAProxy asks about one service with agent-send "NAME\\n", and otherwise about \
      begatd and all services.  It stops last, and begat drain --all leaves it out.
      """,
    keys: [
      Key(
        "weight", \.weight, .choice,
        "weight of a service that accepts clients: \"full\", or \"free\" for its share of free places", when: [.agent],
        details: """
          With \"free\" the weight is the share of max-connections that is free, 10% at least; for all services, that \
          of the fullest one.  HAProxy takes other weights than 100% only with balance roundrobin, leastconn or random, \
          or with hash-type consistent, where they move some sources to other machines.  Servers need weight 100 \
          then: HAProxy rounds down, and a server of weight 0 gets no client.
          """)
    ])
}
