export type ChannelPlan = {
    id: number;
    options: RTCDataChannelInit;
};
/** @typedef {{ id: number, options: RTCDataChannelInit }} ChannelPlan */
/**
 * The data channels that we open to every peer. Both ends open each one, under the same id: so there
 * is exactly one for a label and a pair, with nothing to negotiate and nobody to go first. Id 0
 * is the mesh's own: it makes every pair connect, even one that has nothing to send yet.
 */
export declare class ChannelPlans {
    #private;
    [Symbol.iterator](): MapIterator<[string, ChannelPlan]>;
    /**
     * @param {string} label
     * @param {RTCDataChannelInit} options
     * @returns {ChannelPlan | undefined} nothing if the label is open already
     */
    add(label: string, options: RTCDataChannelInit): ChannelPlan | undefined;
}
