namespace Harepd.Tests.Grpc;

/// <summary>The two programs of the foreign side. TLS is told by three files: authority, certificate, key; <c>-</c> for none.</summary>
internal static class PythonPrograms
{
    /// <summary>server.py HOST AUTHORITY CERT KEY DEMAND: prints its port, then serves what the request's name asks for.</summary>
    public const string Server = """
        import sys, time
        from concurrent import futures
        import grpc
        from models import messages_pb2 as m, messages_pb2_grpc as s
        from health_v1 import health_pb2 as hm, health_pb2_grpc as hs

        ODD = "größer als 100 % — 日本\n"

        class ClusterInfo(s.ClusterInfoServicer):
            def GetClusterInfo(self, request, context):
                if request.nodeName == "error":
                    context.abort(grpc.StatusCode.FAILED_PRECONDITION, ODD)
                if request.nodeName == "slow":
                    time.sleep(3)
                if request.nodeName == "remaining":
                    return m.IKnow(nodeId=int(context.time_remaining() * 1000))
                if request.nodeName == "gzip":
                    context.set_compression(grpc.Compression.Gzip)
                    return m.IKnow(witness="z" * request.nodeId)
                if request.nodeName == "big":
                    return m.IKnow(witness="x" * request.nodeId)
                if request.nodeName == "peer":
                    names = context.auth_context().get("x509_common_name", [b"none"])
                    return m.IKnow(ip=context.peer(), witness=names[0].decode())
                return m.IKnow(ip=request.ip, nodeId=request.nodeId, nodeName=request.nodeName, slaves=["a", "b"], master=["127.0.0.1"])

        class Health(hs.HealthServicer):
            def Check(self, request, context):
                return hm.HealthCheckResponse(status=hm.HealthCheckResponse.SERVING)

        host, authority, cert, key, demand = sys.argv[1:6]
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        s.add_ClusterInfoServicer_to_server(ClusterInfo(), server)
        hs.add_HealthServicer_to_server(Health(), server)
        read = lambda path: None if path == "-" else open(path, "rb").read()
        if cert == "-":
            port = server.add_insecure_port(host + ":0")
        else:
            creds = grpc.ssl_server_credentials([(read(key), read(cert))], read(authority), demand == "required")
            port = server.add_secure_port(host + ":0", creds)
        server.start()
        print(port, flush=True)
        server.wait_for_termination()
        """;

    /// <summary>client.py TARGET AUTHORITY CERT KEY: goes through every scenario and prints one line for each.</summary>
    public const string Client = """
        import sys, time
        import grpc
        from models import messages_pb2 as m, messages_pb2_grpc as s
        from health_v1 import health_pb2 as hm, health_pb2_grpc as hs

        target, authority, cert, key = sys.argv[1:5]
        read = lambda path: None if path == "-" else open(path, "rb").read()
        if authority == "-":
            channel = grpc.insecure_channel(target)
        else:
            channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(read(authority), read(key), read(cert)))
        stub, health = s.ClusterInfoStub(channel), hs.HealthStub(channel)

        def ask(name, call):
            try:
                print(name, "OK", call(), flush=True)
            except grpc.RpcError as e:
                print(name, e.code().name, repr(e.details()), flush=True)

        def show(a):
            return [a.ip, a.nodeId, a.nodeName, a.witness[:9], list(a.slaves), list(a.master)]

        def know(name, id=7, timeout=20, **more):
            return lambda: show(stub.GetClusterInfo(m.WhatYouKnow(ip="127.0.0.9", nodeId=id, nodeName=name), timeout=timeout, **more))

        ask("echo", know("größe"))
        ask("negative", know("x", -1))
        ask("nodeadline", know("x", timeout=None))
        ask("error", know("error"))
        ask("fault", know("fault"))
        ask("slow", know("slow", timeout=0.3))
        ask("gzip", know("packed" * 100, compression=grpc.Compression.Gzip))
        ask("deflate", know("packed" * 100, compression=grpc.Compression.Deflate))
        ask("huge", know("n" * 2000000))
        ask("peer", know("peer"))
        unknown = lambda path: lambda: channel.unary_unary(path, m.WhatYouKnow.SerializeToString, m.IKnow.FromString)(m.WhatYouKnow(), timeout=20)
        ask("method", unknown("/models.ClusterInfo/GetNothing"))
        ask("service", unknown("/models.Nothing/GetNothing"))
        ask("health", lambda: health.Check(hm.HealthCheckRequest(), timeout=20).status)
        ask("nohealth", lambda: health.Check(hm.HealthCheckRequest(service="none"), timeout=20).status)
        ask("watch", lambda: list(health.Watch(hm.HealthCheckRequest(), timeout=20)))
        ask("after", know("after"))
        channel.close()
        """;
}
