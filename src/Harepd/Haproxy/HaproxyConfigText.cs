using System.Text;

namespace Harepd.Haproxy;

/// <summary>
/// Writes a whole HAProxy configuration for a cluster, each line with its reason. Pure. The result is accepted by
/// <c>haproxy -c</c> of 2.4 and later; a test runs it.
/// </summary>
internal static class HaproxyConfigText
{
    /// <summary>On tmpfs on purpose: a state of before a reboot must not be believed.</summary>
    internal const string StateFile = "/run/haproxy/harepd-server-state";

    internal static string Write(HaproxyPlan plan)
    {
        var text = new StringBuilder();
        Head(text, plan);
        Global(text, plan);
        Defaults(text, plan);
        Listener(text, plan, isWrite: true);
        HaproxyHoldText.Sink(text, plan);
        if (plan.ReadBackend is not null)
        {
            Listener(text, plan, isWrite: false);
        }

        return text.ToString();
    }

    private static void Head(StringBuilder text, HaproxyPlan plan)
    {
        text.Append($"# HAProxy for the PostgreSQL cluster \"{plan.Cluster}\", written by: harepd haproxy-config\n");
        text.Append("# Backend and server names are those of haproxy.* in every node's harepd.yml; change them in both places.\n");
        if (plan.Endpoints.Any(e => e.Master is not null))
        {
            var master = plan.Endpoints.First(e => e.Master is not null).Master!;
            text.Append($"""
                # The master socket cannot be configured here; start HAProxy with it:
                #   haproxy -W -S {Bare(master)} -f THIS_FILE
                # It is how harepd ends sessions that a worker of before a reload still holds.

                """);
        }
    }

    private static void Global(StringBuilder text, HaproxyPlan plan)
    {
        text.Append("""

            global
                log /dev/log local0
                maxconn 4000

            """);
        if (!plan.IsSteered)
        {
            return;
        }

        text.Append("""

                # harepd commands HAProxy here. Level admin is what "set server" needs; whoever can open the socket can reroute every
                # client, and over TCP there is no password: keep it to the nodes of the cluster.

            """);
        Sockets(text, plan);
        text.Append($"""
                stats timeout 30s
                # Every node keeps a lane to this socket, and a fence opens one more: 10 (the default) is soon used up.
                stats maxconn 64

                # Keeps what harepd commanded over a reload, so that no route is wrong meanwhile. Save it before each reload:
                #   ExecReload=/bin/sh -c 'echo "show servers state" | socat - {FirstUnix(plan)} > {StateFile}'
                # The file is on tmpfs: after a reboot nothing is known, every write server is closed, and harepd opens the right one.
                server-state-file {StateFile}

            """);
    }

    private static void Sockets(StringBuilder text, HaproxyPlan plan)
    {
        var isFirstTcp = true;
        foreach (var endpoint in plan.Endpoints)
        {
            switch (endpoint.Runtime)
            {
                case RuntimeAddress.Unix(var path):
                    text.Append($"    stats socket {path} mode 660 level admin expose-fd listeners\n");
                    break;
                case RuntimeAddress.Tcp(var host, var port):
                    // Each HAProxy can bind its own address only: the first is this one's, the others are shown for theirs.
                    var address = host.Contains(':', StringComparison.Ordinal) ? $"ipv6@[{host}]:{port}" : $"{host}:{port}";
                    text.Append(isFirstTcp
                        ? $"    stats socket {address} level admin\n"
                        : $"    # on the HAProxy at {host} instead:  stats socket {address} level admin\n");
                    isFirstTcp = false;
                    break;
                default:
                    break;
            }
        }
    }

    private static void Defaults(StringBuilder text, HaproxyPlan plan)
    {
        text.Append("""

            defaults
                mode tcp
                log global
                option tcplog

                # A client whose server died while it connected waits min(timeout connect, 1s) before HAProxy tries again, and goes on
                # to the new server then: this is the longest that a dead server costs anybody. Raise it where packets get lost.
                option redispatch 1
                retries 3
                timeout connect 100ms
                timeout check 2s
                timeout queue 30s

                # Idle database sessions are ordinary; dead peers are found by keepalives.
                timeout client 24h
                timeout server 24h
                option clitcpka
                option srvtcpka

            """);
        if (plan.IsSteered)
        {
            text.Append("    load-server-state-from-file global\n");
        }
    }

    private static void Listener(StringBuilder text, HaproxyPlan plan, bool isWrite)
    {
        var name = isWrite ? plan.WriteBackend : plan.ReadBackend!;
        text.Append($"\n# {(isWrite ? "Writes: one server, the holder of the lease." : "Reads: standbys that stream and are not too far behind, else the primary.")}\n");
        text.Append($"listen {name}\n    bind {(isWrite ? plan.WriteBind : plan.ReadBind)}\n");
        if (isWrite)
        {
            HaproxyHoldText.Listener(text, plan);
        }
        else
        {
            text.Append("    balance leastconn\n");
        }

        Check(text, plan, isWrite);

        // A cut or failed server must not keep its clients: their sessions could write to a server that lost the right to.
        text.Append("    default-server check inter 1s fastinter 200ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n");
        if (isWrite && plan.IsSteered)
        {
            text.Append("""
                    # Closed until harepd opens one: a HAProxy that starts knows nothing of the lease, and two open servers could be two writers.

                """);
        }

        foreach (var server in plan.Servers)
        {
            Server(text, plan, server, isWrite && plan.IsSteered);
        }

        if (isWrite)
        {
            HaproxyHoldText.Server(text, plan);
        }
    }

    private static void Check(StringBuilder text, HaproxyPlan plan, bool isWrite)
    {
        if (plan.Check == HaproxyCheck.Http)
        {
            text.Append($"""
                    # harepd answers from memory and turns to 503 by itself when its lease ends or it hangs.
                    option httpchk OPTIONS {(isWrite ? "/primary" : "/read-only")}
                    http-check expect status 200

                """);
            if (plan.IsHttps)
            {
                text.Append("    # HTTPS: replace \"verify none\" by \"ca-file FILE verify required\", and add \"crt FILE\" where http.tls is \"require\".\n");
            }
        }
        else if ((isWrite ? plan.WriteUser : plan.ReadUser) is { } user)
        {
            text.Append($"""
                    # "Up" is any request for a password, "down" is a reject in pg_hba.conf: harepd's managed block answers. The user needs no
                    # right to log in and need not exist. Older HAProxy takes scram-sha-256 for down: authModes.allow "md5".
                    option pgsql-check user {user}

                """);
        }
        else
        {
            text.Append("    # No check user is configured: this only notices a closed port.\n    option tcp-check\n");
        }
    }

    private static void Server(StringBuilder text, HaproxyPlan plan, HaproxyServer server, bool isClosed)
    {
        if (server.IsNameGuessed)
        {
            text.Append("    # The name is a guess from the address: make it the haproxy.serverName (default: nodeName) of that node.\n");
        }

        text.Append($"    server {server.Name} {server.Address}");
        text.Append(plan.Check == HaproxyCheck.Http ? $" port {plan.HttpPort}{(plan.IsHttps ? " check-ssl verify none" : "")}" : "");
        text.Append(server.IsHostName ? " init-addr last,libc,none" : "");
        text.Append(isClosed ? " disabled\n" : "\n");
    }

    private static string FirstUnix(HaproxyPlan plan) =>
        plan.Endpoints.Select(e => e.Runtime).OfType<RuntimeAddress.Unix>().FirstOrDefault()?.Path
        ?? plan.Endpoints.Select(e => e.Runtime).OfType<RuntimeAddress.Tcp>().Select(t => $"tcp:{t.Host}:{t.Port}").FirstOrDefault("/run/haproxy/admin.sock");

    private static string Bare(RuntimeAddress address) => address switch
    {
        RuntimeAddress.Unix(var path) => path,
        RuntimeAddress.Tcp(var host, var port) => $"{host}:{port}",
        _ => "",
    };
}
