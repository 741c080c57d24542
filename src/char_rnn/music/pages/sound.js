// The instruments in a browser: oscillators with the harmonics and envelopes of `instruments.py`.
let context = null;
const sounding = () => {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  context ??= Context ? new Context() : null;
  return context;
};

// What plays a piece's notes into one output, which can be cut off.
const orchestra = sounds => {
  const waves = new Map(), nodes = new Set();
  const out = context.createGain(), limit = context.createDynamicsCompressor();
  out.gain.value = .5;
  out.connect(limit).connect(context.destination);
  const wave = voice => {
    if (!waves.has(voice)) {
      const imag = Float32Array.from([0, ...sounds[voice].harmonics]);
      waves.set(voice, context.createPeriodicWave(new Float32Array(imag.length), imag));
    }
    return waves.get(voice);
  };
  let noise = null;
  const hiss = () => {
    if (!noise) {
      noise = context.createBuffer(1, context.sampleRate, context.sampleRate);
      const samples = noise.getChannelData(0);
      for (let i = 0; i < samples.length; i++) samples[i] = 2 * Math.random() - 1;
    }
    const source = context.createBufferSource();
    source.buffer = noise;
    return source;
  };
  const start = (source, envelope, when, end) => {
    source.connect(envelope);
    nodes.add(source);
    source.onended = () => { nodes.delete(source); envelope.disconnect(); };
    source.start(when);
    source.stop(end);
  };
  const fading = (loud, when, attack) => {
    const envelope = context.createGain();
    envelope.gain.setValueAtTime(0, when);
    envelope.gain.linearRampToValueAtTime(loud, when + attack);
    envelope.connect(out);
    return envelope;
  };
  // kind: which of the drums. From the top: cymbal, hat, tom, snare, kick, other.
  const strike = (kind, pitch, loud, when) => {
    const [hertz, noisy, high, decay] = [[0, 1, 6000, .2], [0, 1, 7000, .04],
      [110 * 2 ** ((pitch - 45) / 24), 0, 0, .14], [185, 1, 1500, .08], [50, 0, 0, .12],
      [600, .5, 2000, .04]][kind];
    const end = when + 6 * decay;
    const dying = strong => {
      const envelope = fading(loud * strong, when, .002);
      envelope.gain.setTargetAtTime(0, when + .002, decay);
      return envelope;
    };
    if (noisy) {
      const filter = context.createBiquadFilter();
      filter.type = "highpass";
      filter.frequency.value = high;
      filter.connect(dying(noisy));
      start(hiss(), filter, when, end);
    }
    if (hertz) {
      const skin = context.createOscillator();
      skin.frequency.setValueAtTime(2 * hertz, when);
      skin.frequency.setTargetAtTime(hertz, when, .03);
      start(skin, dying(1), when, end);
    }
  };
  return {
    // A note from `when` to `end`, in seconds of the context.
    note(voice, pitch, velocity, kind, when, end) {
      const sound = sounds[voice], loud = .8 * (velocity / 127) ** 2;
      if (sound.drums) return strike(kind, pitch, loud, when);
      const source = context.createOscillator();
      source.setPeriodicWave(wave(voice));
      source.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
      const attack = Math.min(sound.attack, (end - when) / 2);
      const envelope = fading(loud, when, attack);
      envelope.gain.setTargetAtTime(loud * sound.sustain, when + attack, sound.decay);
      envelope.gain.setTargetAtTime(0, end, sound.release / 4);
      start(source, envelope, when, end + 1.5 * sound.release);
    },
    silence() {
      out.gain.setTargetAtTime(0, context.currentTime, .01);
      const over = context.currentTime + .08;
      for (const node of nodes) node.stop(over);
      setTimeout(() => limit.disconnect(), 200);
    },
  };
};
