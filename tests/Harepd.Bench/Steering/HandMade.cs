using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Bench.Steering;

/// <summary>What a person with a script would do, and nothing more: no vote, no check, no confirmation. The floor, not an example.</summary>
internal static class HandMade
{
    private const string Shut = "host all app 127.0.0.0/8 reject\n";

    /// <summary>Everything as it should be before a promotion: clients on the primary, the standby shut, HAProxy obeying.</summary>
    public static async Task TakeOverAsync(SteeringLab lab)
    {
        Open(lab, lab.Primary.Server);
        MakeGate(lab, lab.Standby.Server, "pg_hba.conf", Shut);
        lab.Standby.Server.Postmaster?.Send(Signal.Hangup);
        MakeGate(lab, lab.Standby.Server, "pg_hba.open", "");
        await SwitchAsync(lab.Haproxy, lab.Primary, lab.Standby);
    }

    /// <summary>Clients of the application may come to both servers.</summary>
    public static void OpenBoth(SteeringLab lab)
    {
        Open(lab, lab.Primary.Server);
        Open(lab, lab.Standby.Server);
    }

    /// <summary>The open pg_hba.conf, which lies ready, put in its place, and the postmaster told.</summary>
    public static void OpenGate(PostgresServer server)
    {
        File.Move(Path.Combine(server.DataDirectory, "pg_hba.open"), server.HbaFile, overwrite: true);
        server.Postmaster?.Send(Signal.Hangup);
    }

    /// <summary>Writers to one server, away from the other: ready first, which never fails a client when the other is shut already.</summary>
    public static Task SwitchAsync(HaproxyServer haproxy, RepmgrNode to, RepmgrNode from) =>
        haproxy.CommandAsync($"set server {HaproxyServer.WriteBackend}/{to.Name} state ready; set server {HaproxyServer.WriteBackend}/{from.Name} state maint");

    /// <summary>A server that is gone is taken from HAProxy, so that no client waits for it.</summary>
    public static Task CutAsync(HaproxyServer haproxy, RepmgrNode dead) =>
        haproxy.CommandAsync($"set server {HaproxyServer.WriteBackend}/{dead.Name} state maint; shutdown sessions server {HaproxyServer.WriteBackend}/{dead.Name}");

    private static void Open(SteeringLab lab, PostgresServer server)
    {
        MakeGate(lab, server, "pg_hba.open", "");
        OpenGate(server);
    }

    private static void MakeGate(SteeringLab lab, PostgresServer server, string file, string first) =>
        lab.Cluster.Lab.WriteFile(Path.Combine(server.Name, "data", file), first + new PostgresOptions().Hba("127.0.0.0/8"));
}
