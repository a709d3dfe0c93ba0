extension ServiceSettings {
  static let proxyGroup = KeyGroup<ServiceSettings>(
    title: "Through whom",
    introduction: """
      Behind a balancer all clients have its address, unless it names them in a header of the PROXY protocol (send-proxy \
      and send-proxy-v2 of HAProxy, proxy_protocol of nginx).  `begat check --from ADDRESS --via PROXY SERVICE` explains.
      """,
    keys: [
      Key(
        "proxy-from", \.proxyFrom, .list(of: "networks or unix:USER", .peer),
        "proxies, which must name their clients; others are refused; [] and unset: clients come by themselves",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced],
        details: """
          The header comes before the first byte of the client, and is not passed on.  allow, deny, limits and logs are \
          about the client that it names; a refused client costs no process.  A connection without a client, such as a \
          balancer's check (LOCAL, UNKNOWN), is served whatever allow, deny and limits of sources say, and leaves a line \
          in the log only if it is a problem or with log = "open".  Programs find the client in their variables, the \
          proxy in PROXY_ADDR and PROXY_PORT, and what the proxy knows of the client's TLS connection in SSL_PROTOCOL, \
          SSL_CIPHER, SSL_TLS_SNI_SERVERNAME, SSL_ALPN, SSL_CLIENT_VERIFY and SSL_PEER_CERT_CN; besides, \
          PROXY_UNIQUE_ID, AWS_VPC_ENDPOINT_ID, AZURE_PRIVATE_ENDPOINT_LINKID and GCP_PSC_CONNECTION_ID.  A program that \
          asks the kernel for its peer finds the proxy.  Datagrams have no such header.
          """),
      Key(
        "proxy-timeout", \.proxyTimeout, .positiveDuration, "until a proxy's header is complete",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced, .proxied],
        details: """
          The time runs from the acceptance of the connection.  At most 64 connections wait for their headers; another \
          one takes the place of the oldest.
          """),
      Key(
        "proxy-version", \.proxyVersion, .proxyVersion, "versions of the header that are accepted: \"any\", 1 or 2",
        when: [.listening, .accepting, .connections, .streamsAlone, .balanced, .proxied]),
    ])
}
