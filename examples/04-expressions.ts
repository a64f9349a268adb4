// Expression recognition in Node: a nano network learns faces that a generator draws, then reads a few it has not seen.
import { drawFaces, evaluateNetwork, fer2013Splits, protocolFor, Training } from '@mien/fer';
import { init } from '@mien/tensor';
