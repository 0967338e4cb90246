using Harepd.Core.Model;
using Harepd.Lab.Servers;
using Harepd.Postgres.Hba;

namespace Harepd.Tests.Live;

/// <summary>What the managed block in a server's pg_hba.conf says.</summary>
internal static class GateOnDisk
{
    /// <summary>Null without a block, or when its marker is damaged.</summary>
    public static Gate? Of(PostgresServer server) => HbaBlockCut.Of(File.ReadAllText(server.HbaFile)).Marker?.Gate;
}
