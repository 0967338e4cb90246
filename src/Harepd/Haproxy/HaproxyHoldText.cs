using System.Text;

namespace Harepd.Haproxy;

/// <summary>The lines of a HAProxy configuration that let a planned move pause clients instead of failing them. Pure.</summary>
internal static class HaproxyHoldText
{
    /// <summary>In the write listener, before its servers: the keeper's own way in.</summary>
    internal static void Listener(StringBuilder text, HaproxyPlan plan)
    {
        if (!plan.HasHold)
        {
            return;
        }

        text.Append("""

                # The hold: during a planned move new clients wait here, in HAProxy's queue, behind a server whose one slot harepd keeps busy.
                # This is where harepd connects to do so; nobody else has business here.

            """);
        var isFirstTcp = true;
        foreach (var endpoint in plan.Endpoints)
        {
            switch (endpoint.Hold)
            {
                case RuntimeAddress.Unix(var path):
                    text.Append($"    bind unix@{path} mode 660 name hold\n");
                    break;
                case RuntimeAddress.Tcp(var host, var port):
                    var address = host.Contains(':', StringComparison.Ordinal) ? $"ipv6@[{host}]:{port}" : $"{host}:{port}";
                    text.Append(isFirstTcp ? $"    bind {address} name hold\n" : $"    # on the HAProxy at {host} instead:  bind {address} name hold\n");
                    isFirstTcp = false;
                    break;
                default:
                    break;
            }
        }

        text.Append($$"""
                use-server {{HaproxyTarget.HoldServer}} if { so_name hold }

                # No client waits longer than this, and none keeps a slot whose server has ended.
                timeout queue 10s
                timeout client-fin 5s

            """);
    }

    /// <summary>The hold server itself: weight 0, so that nobody is sent there until harepd raises it.</summary>
    internal static void Server(StringBuilder text, HaproxyPlan plan)
    {
        if (plan.HasHold)
        {
            text.Append($"    server {HaproxyTarget.HoldServer} {plan.HoldSink} weight 0 maxconn 1 no-check\n");
        }
    }

    /// <summary>What is behind the hold server.</summary>
    internal static void Sink(StringBuilder text, HaproxyPlan plan)
    {
        if (!plan.HasHold)
        {
            return;
        }

        text.Append($$"""

            # Behind the hold. harepd's own connection stays, for ten seconds at most; a client that gets here, because harepd died in
            # mid-move and its slot is free, is sent away at once. So a hold ends whatever happens. Any free port of this host will do.
            listen {{HaproxyPlan.HoldSinkName}}
                bind {{plan.HoldSink}}
                tcp-request inspect-delay 10s
                tcp-request content reject if { req.len gt 0 } !{ req.payload(0,4) -m str {{HoldKeeper.Greeting}} }
                tcp-request content reject if WAIT_END

            """);
    }
}
