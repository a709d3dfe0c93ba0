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
      For haproxy-agent, which says in a line whether clients should come: "ready up 100%", "drain" while a service or \
      begatd announces its end and drains, or "stopped" with a reason.  HAProxy asks for one service with agent-send \
      "NAME\\n", and else for begatd and all services.  It is stopped last, and not drained by begat drain --all.
      """,
    keys: [
      Key(
        "weight", \.weight, .choice,
        "the weight of a service that accepts clients: \"full\", or \"free\" by its free places", when: [.agent],
        details: """
          With \"free\" the weight is the share of max-connections that is free, 10% at least; of all services, the least \
          share.  HAProxy takes other weights than 100% only with balance roundrobin, leastconn or random, or with hash-type \
          consistent, where they move some sources to other machines.  Servers need weight 100 then: HAProxy rounds down, and \
          a server of weight 0 gets no client.
          """)
    ])
}
