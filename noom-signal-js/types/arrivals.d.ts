import type { PeerId, PeerInfo } from "./messages.js";
import type { MeshPeer } from "./peer.js";
export type Arrival = {
    info: PeerInfo;
    /**
     * it was in the room before us
     */
    older: boolean;
    timer: ReturnType<typeof setTimeout>;
    /**
     * the departed that we offer to it as
     */
    asked: MeshPeer[];
};
export type ArrivalActions = {
    departed: () => MeshPeer[];
    /**
     * it is nobody we know
     */
    admit: (info: PeerInfo, offered: boolean) => void;
    recognised: (info: PeerInfo, peer: MeshPeer) => void;
    /**
     * offers to it on the connection of a departed peer
     */
    ask: (info: PeerInfo, peer: MeshPeer) => void;
};
/**
 * Those who come while departed peers may come back: the server forgot us all (it restarted), but our connections live.
 * Who is who again is seen in three steps.
 *
 * 1. Over each connection its ends say under which id they are back. That is a hint: it may be a lie.
 * 2. Of two who are back, the later one offers on the connection that it has, through the server, to the id of the hint.
 *    The offer names the RTCPeerConnections of both ends (`o=` and `a=noom-for`) by random ids that nobody but these two
 *    and their server ever saw. By that, and by the server's word for whom it is from, the other knows its far end again.
 * 3. Its answer, by the server's word from where the offer went and nowhere else, shows the same to the one who offered.
 *
 * So nobody can take a third one's place, whatever they say; and a liar's hint costs nobody a connection.
 */
export declare class Arrivals {
    #private;
    /** @param {ArrivalActions} actions */
    constructor(actions: ArrivalActions);
    /** @param {PeerId} id */
    get(id: PeerId): PeerInfo | undefined;
    /**
     * @param {PeerInfo} info
     * @param {number} [patienceMs] how long we leave the first offer to it, if it was in the room before us
     * @returns {boolean} whether it has to wait, since it may be one of the departed
     */
    add(info: PeerInfo, patienceMs?: number): boolean;
    /** A departed peer says that this is its id now. @param {PeerId} id */
    hinted(id: PeerId): void;
    /** A description came, which may show who its sender is. @param {PeerId} id @param {"offer" | "answer"} type @param {string} sdp */
    judge(id: PeerId, type: "offer" | "answer", sdp: string): void;
    /** Forgets those who are not there, or no longer the same. @param {Map<PeerId, PeerInfo>} [now] */
    keep(now?: Map<PeerId, PeerInfo>): void;
    /** @param {PeerId} id */
    drop(id: PeerId): void;
}
