extension ServiceSettings {
  static let proxyGroup = KeyGroup<ServiceSettings>(
    title: "Proxies",
    introduction: """
      A balancer hides its clients' addresses unless it sends them in a header of the PROXY protocol (send-proxy, \
      send-proxy-v2 of HAProxy; proxy_protocol of nginx).  `begat check --from ADDRESS --via PROXY SERVICE` explains.
      """,
    keys: [
      Key(
        "proxy-from", \.proxyFrom, .list(of: "networks or unix:USER", .peer),
        "proxies, which must send a PROXY header first; other peers are refused; [] or unset: clients connect directly",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced],
        details: """
          The header precedes the client's first byte and is not passed on.  allow, deny, limits and logs apply to the \
          client that it names; refusing it costs no process.  A connection without a client (LOCAL, UNKNOWN), such as \
          a balancer's check, is served regardless of allow, deny and limits per source, and is logged only on failure \
          or with log = "open".  Programs find the client in their variables, the proxy in PROXY_ADDR and PROXY_PORT, and \
          the header's data about the client's TLS connection in SSL_PROTOCOL, SSL_CIPHER, SSL_TLS_SNI_SERVERNAME, \
          SSL_ALPN, SSL_CLIENT_VERIFY and SSL_PEER_CERT_CN; other data in PROXY_UNIQUE_ID, AWS_VPC_ENDPOINT_ID, \
          AZURE_PRIVATE_ENDPOINT_LINKID and GCP_PSC_CONNECTION_ID.  A program that asks the kernel for its peer finds the \
          proxy.  Datagrams have no such header.
          """),
      Key(
        "proxy-timeout", \.proxyTimeout, .positiveDuration,
        "limit for a complete header, from the acceptance of the connection",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced, .proxied],
        details: """
          At most 64 connections wait for a header; a further one replaces the oldest.  The kernel keeps a silent TCP \
          connection back for 3s at most before that.  A passed socket for which another time is set (DeferAcceptSec= in \
          systemd.socket(5)) keeps it, but 2s and 3s cannot be told from begat's own time: a service without proxy-from \
          switches them off.
          """),
      Key(
        "proxy-version", \.proxyVersion, .proxyVersion, "versions of the header that are accepted: \"any\", 1 or 2",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced, .proxied]),
    ])
}
